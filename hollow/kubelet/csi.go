package kubelet

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	csiplugins "k8s.io/csi-translation-lib/plugins"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/csi"
	"k8s.io/kubernetes/pkg/volume/csi/nodeinfomanager"
)

// csiPlugin stands for the kubelet's CSI plugin, which keeps its node in a global: of kubelets that start at the same time in
// one process only the last one's node gets its CSINode. This one makes the same calls for its own node (compare Init and
// initializeCSINode in k8s.io/kubernetes/pkg/volume/csi/csi_plugin.go) and supports no volume: a pod with one does not start.
type csiPlugin struct{}

var (
	_ volume.VolumePlugin = (*csiPlugin)(nil)

	errCSINodePending = errors.New("CSINode is not yet initialized")
	errNoCSI          = errors.New("a hollow node has no CSI drivers")
)

// Init creates the node's CSINode in the background; until it is there the node is not Ready.
func (*csiPlugin) Init(host volume.VolumeHost) error {
	kubelet, ok := host.(volume.KubeletVolumeHost)
	if !ok {
		return fmt.Errorf("volume host %T is not a kubelet", host)
	}
	kubelet.SetKubeletError(errCSINodePending)
	go initializeCSINode(host, kubelet)
	return nil
}

func initializeCSINode(host volume.VolumeHost, kubelet volume.KubeletVolumeHost) {
	waitForServer(host)
	// The steps of the kubelet, which ends the process when the last one fails; here the node stays NotReady and it begins again.
	backoff := wait.Backoff{Steps: 6, Duration: 30 * time.Millisecond, Factor: 8, Jitter: 0.1, Cap: 2 * time.Minute}
	manager := nodeinfomanager.NewNodeInfoManager(host.GetNodeName(), host, migratedPlugins())
	for {
		err := wait.ExponentialBackoff(backoff, func() (bool, error) {
			if err := manager.InitializeCSINodeWithAnnotation(); err != nil {
				kubelet.SetKubeletError(fmt.Errorf("failed to initialize CSINode: %w", err))
				klog.ErrorS(err, "Failed to initialize CSINode", "node", host.GetNodeName())
				return false, nil
			}
			kubelet.SetKubeletError(nil)
			return true, nil
		})
		if err == nil {
			return
		}
	}
}

// waitForServer reads the CSINode from the server's cache, once a second, until there is any answer from it.
func waitForServer(host volume.VolumeHost) {
	for {
		options := metav1.GetOptions{ResourceVersion: "0"}
		_, err := host.GetKubeClient().StorageV1().CSINodes().Get(context.Background(), string(host.GetNodeName()), options)
		if err == nil || apierrors.IsNotFound(err) {
			return
		}
		time.Sleep(time.Second)
	}
}

// migratedPlugins names the in-tree plugins that the kubelet says have moved to CSI, all of them.
func migratedPlugins() map[string]func() bool {
	migrated := make(map[string]func() bool)
	for _, name := range []string{
		csiplugins.GCEPDInTreePluginName, csiplugins.AWSEBSInTreePluginName, csiplugins.CinderInTreePluginName,
		csiplugins.AzureDiskInTreePluginName, csiplugins.AzureFileInTreePluginName, csiplugins.VSphereInTreePluginName,
		csiplugins.PortworxVolumePluginName,
	} {
		migrated[name] = func() bool { return true }
	}
	return migrated
}

func (*csiPlugin) GetPluginName() string                                    { return csi.CSIPluginName }
func (*csiPlugin) GetVolumeName(*volume.Spec) (string, error)               { return "", errNoCSI }
func (*csiPlugin) CanSupport(*volume.Spec) bool                             { return false }
func (*csiPlugin) RequiresRemount(*volume.Spec) bool                        { return false }
func (*csiPlugin) SupportsMountOption() bool                                { return true }
func (*csiPlugin) SupportsSELinuxContextMount(*volume.Spec) (bool, error)   { return false, nil }
func (*csiPlugin) NewMounter(*volume.Spec, *v1.Pod) (volume.Mounter, error) { return nil, errNoCSI }
func (*csiPlugin) NewUnmounter(string, types.UID) (volume.Unmounter, error) { return nil, errNoCSI }
func (*csiPlugin) ConstructVolumeSpec(string, string) (volume.ReconstructedVolume, error) {
	return volume.ReconstructedVolume{}, errNoCSI
}
