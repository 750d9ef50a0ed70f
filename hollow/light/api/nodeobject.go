package api

import (
	"fmt"
	"maps"
	"net"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/wire"
)

const (
	// version is the kubelet that is imitated.
	version = "v1.36.3"
	// reservedMemory is what the kubelet keeps from pods by default, its eviction threshold memory.available < 100Mi, and
	// reservedStorage that of nodefs.available < 10%.
	reservedMemory  = 100 << 20
	reservedStorage = 10
	// SandboxImage is the image that every node has: that of the pods' sandboxes (PauseVersion in cmd/kubeadm/app/constants).
	SandboxImage = "registry.k8s.io/pause:3.10.2"
	// imagesOnNode is how many images a node has from its start besides.
	imagesOnNode = 6
	// paddingAnnotation makes a node object larger still.
	paddingAnnotation = "windtunnel/padding"
	kubeletPort       = 10250
	// metricsAnnotation says where below a node's address and port its metrics of resources are (AnnotationResourceMetricsPath in
	// metrics-server's pkg/scraper/client/resource, from v0.7.0 on).
	metricsAnnotation = "metrics.k8s.io/resource-metrics-path"
)

// MetricsPath is where a server of many nodes has the metrics of one.
func MetricsPath(node string) string { return "/nodes/" + node + "/metrics/resource" }

// Machine is what all nodes of a shard have in common.
type Machine struct {
	config   hollow.ShardConfig
	capacity hollow.Capacity
	// Address is the nodes' InternalIP: the machine's own, as of all hollow nodes.
	Address string
	// Images are those that a node has from its start.
	Images []corev1.ContainerImage
	// MetricsPort is the port on which the nodes' metrics are served; 0: they are not, and nodes give the kubelet's own port.
	MetricsPort int32
}

// NewMachine reads the shard's description.
func NewMachine(config hollow.ShardConfig) (*Machine, error) {
	capacity, err := hollow.ParseCapacity(config.Capacity)
	if err != nil {
		return nil, err
	}
	m := &Machine{config: config, capacity: capacity, Address: ownAddress(), Images: []corev1.ContainerImage{Image(SandboxImage, 0)}}
	for i := range imagesOnNode {
		m.Images = append(m.Images, Image(fmt.Sprintf("registry.k8s.io/windtunnel/image-%d:v1.%d.0", i, i), i))
	}
	return m, nil
}

// ownAddress is the first address of this machine that is not loopback's.
func ownAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
				return n.IP.String()
			}
		}
	}
	return "127.0.0.1"
}

// Image is an image as a node lists it: by its digest and its tag, with a size that follows from the name.
func Image(name string, seed int) corev1.ContainerImage {
	repository, _, _ := strings.Cut(name, ":")
	return corev1.ContainerImage{Names: []string{repository + "@" + ImageID(name), name}, SizeBytes: 10_000_000 + int64(seed)*1_234_567}
}

// Node is the Node object as a node registers it. ready says that it says of itself that it is Ready.
func (m *Machine) Node(n hollow.Node, ready bool, now time.Time) *corev1.Node {
	labels := map[string]string{
		"beta.kubernetes.io/arch": goruntime.GOARCH, "beta.kubernetes.io/os": goruntime.GOOS,
		corev1.LabelArchStable: goruntime.GOARCH, corev1.LabelOSStable: goruntime.GOOS, corev1.LabelHostname: n.Name,
	}
	maps.Copy(labels, m.config.Labels)
	maps.Copy(labels, n.Labels)
	annotations := map[string]string{"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
	if m.config.PaddingBytes > 0 {
		annotations[paddingAnnotation] = strings.Repeat("x", m.config.PaddingBytes)
	}
	port := int32(kubeletPort)
	if m.MetricsPort != 0 {
		port, annotations[metricsAnnotation] = m.MetricsPort, MetricsPath(n.Name)
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: labels, Annotations: annotations},
		Status: corev1.NodeStatus{
			Capacity: m.Capacity(), Allocatable: m.Allocatable(), Conditions: Conditions(ready, now),
			Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: m.Address}, {Type: corev1.NodeHostName, Address: n.Name}},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: port}},
			Images:          m.Images,
			NodeInfo: corev1.NodeSystemInfo{
				MachineID: n.Name, SystemUUID: n.Name, BootID: n.Name, KernelVersion: "6.8.0-hollow", OSImage: "windtunnel light node",
				ContainerRuntimeVersion: "windtunnel://1.0.0", KubeletVersion: version, OperatingSystem: goruntime.GOOS, Architecture: goruntime.GOARCH,
			},
			RuntimeHandlers: []corev1.NodeRuntimeHandler{{Features: &corev1.NodeRuntimeHandlerFeatures{}}},
			Features:        &corev1.NodeFeatures{SupplementalGroupsPolicy: new(true)},
		},
	}
	for _, t := range m.config.Taints {
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)})
	}
	return node
}

// NodeBody is a Node in its envelope.
func NodeBody(node *corev1.Node) ([]byte, error) {
	raw, err := node.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode node %s: %w", node.Name, err)
	}
	return wire.Envelope("v1", "Node", raw), nil
}

// Memory is a node's, in bytes.
func (m *Machine) Memory() int64 { return m.capacity.Memory }

// Capacity is what a node has.
func (m *Machine) Capacity() corev1.ResourceList {
	list := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(m.capacity.Cores), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(m.capacity.Memory, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(m.capacity.EphemeralStorage, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(int64(m.config.MaxPods), resource.DecimalSI),
	}
	for _, size := range slices.Sorted(maps.Keys(m.capacity.HugePages)) {
		name := corev1.ResourceName(corev1.ResourceHugePagesPrefix + resource.NewQuantity(size, resource.BinarySI).String())
		list[name] = *resource.NewQuantity(size*m.capacity.HugePages[size], resource.BinarySI)
	}
	for name, quantity := range m.capacity.Extended {
		list[corev1.ResourceName(name)] = quantity
	}
	return list
}

// Allocatable is what pods may use of it.
func (m *Machine) Allocatable() corev1.ResourceList {
	list := m.Capacity()
	list[corev1.ResourceMemory] = *resource.NewQuantity(max(0, m.capacity.Memory-reservedMemory), resource.BinarySI)
	list[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(m.capacity.EphemeralStorage-m.capacity.EphemeralStorage/reservedStorage, resource.BinarySI)
	return list
}

// NotReadyMessage is what the kubelet says while the network has no configuration.
const NotReadyMessage = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:no pod CIDR yet"

// Conditions are a node's own, in the kubelet's order (pkg/kubelet/nodestatus).
func Conditions(ready bool, now time.Time) []corev1.NodeCondition {
	at := metav1.NewTime(now)
	c := func(kind corev1.NodeConditionType, status corev1.ConditionStatus, reason, message string) corev1.NodeCondition {
		return corev1.NodeCondition{Type: kind, Status: status, LastHeartbeatTime: at, LastTransitionTime: at, Reason: reason, Message: message}
	}
	state := c(corev1.NodeReady, corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status")
	if !ready {
		state = c(corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady", NotReadyMessage)
	}
	return []corev1.NodeCondition{
		c(corev1.NodeMemoryPressure, corev1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		c(corev1.NodeDiskPressure, corev1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		c(corev1.NodePIDPressure, corev1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		state,
	}
}

// AppendTime appends a time in JSON as Kubernetes writes it, in seconds.
func AppendTime(b []byte, at time.Time) []byte {
	b = append(b, '"')
	b = at.UTC().AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

// AppendText appends a text in JSON.
func AppendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			return appendOdd(b, text)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// appendOdd appends a text that has something to escape. Go's own quoting differs from JSON's.
func appendOdd(b []byte, text string) []byte {
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20 || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0')
			b = append(b, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// AppendNumber appends an integer in JSON.
func AppendNumber(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }
