// Package profiles says WHAT to run. A profile is a YAML document that is decoded strictly, given defaults,
// validated with every problem reported at its position, and compiled to a Plan, the only thing that the
// harness executes. The package is pure: it opens no connection and imports no cluster package.
package profiles

// APIVersion is the version of the profile format that this package reads, and Kind the kind of its documents.
const (
	APIVersion = "windtunnel/v1alpha1"
	Kind       = "Profile"
)

// The scopes of a request or SLO row.
const (
	ScopeResource  = "resource"
	ScopeNamespace = "namespace"
	ScopeCluster   = "cluster"
)

//go:generate go run ./internal/genreference ../docs/profile-reference.md

// Profile is one experiment as a user writes it: the control plane to boot, the hollow nodes around it, the
// objects and requests to drive at it, phase by phase, and what is required of the answers.
type Profile struct {
	// APIVersion is the version of this format: windtunnel/v1alpha1.
	APIVersion string `yaml:"apiVersion" json:"apiVersion"`
	// Kind is always Profile.
	Kind string `yaml:"kind" json:"kind"`
	// Name identifies the profile; it begins the name of the run directory. A DNS label.
	Name string `yaml:"name" json:"name"`
	// Description is one paragraph for people.
	Description string `yaml:"description,omitempty" json:"description,omitempty"`
	// Seed makes every random choice of the run. Default 1.
	Seed uint64 `yaml:"seed" json:"seed" default:"1"`
	// Timeout bounds the whole run. Default 30m.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" default:"30m"`
	// ControlPlane is the system under test.
	ControlPlane ControlPlane `yaml:"controlPlane,omitempty" json:"controlPlane,omitempty"`
	// HollowNodes are the simulated nodes around it.
	HollowNodes HollowNodes `yaml:"hollowNodes,omitempty" json:"hollowNodes,omitempty"`
	// Objects are named templates of Kubernetes objects that steps refer to.
	Objects map[string]Object `yaml:"objects,omitempty" json:"objects,omitempty"`
	// Phases run one after another.
	Phases []Phase `yaml:"phases" json:"phases"`
	// SLO is what the verdict requires.
	SLO SLO `yaml:"slo,omitempty" json:"slo,omitempty"`
	// Validity is what the run itself must keep to before the system is judged.
	Validity Validity `yaml:"validity,omitempty" json:"validity,omitempty"`
	// Axes are what capacity may vary, by name.
	Axes map[string]Axis `yaml:"axes,omitempty" json:"axes,omitempty"`

	places map[string]place // where each path was written, for problems that show only at run time
}

// ControlPlane describes the control plane of a run and who makes it.
type ControlPlane struct {
	// Provider makes the control plane: embedded boots it as processes of this machine, kind boots a cluster of containers,
	// existing uses a cluster that is there. Default embedded.
	Provider string `yaml:"provider,omitempty" json:"provider,omitempty" default:"embedded" enum:"embedded,kind,existing"`
	// Kind configures the provider kind.
	Kind *KindCluster `yaml:"kind,omitempty" json:"kind,omitempty"`
	// Existing configures the provider existing.
	Existing *ExistingCluster `yaml:"existing,omitempty" json:"existing,omitempty"`
	// BinDir holds kube-apiserver, kube-controller-manager, kube-scheduler and etcd binaries of another
	// Kubernetes version. Default: the ones that windtunnel-kube was built with.
	BinDir string `yaml:"binDir,omitempty" json:"binDir,omitempty"`
	// Port is the API server's port on 127.0.0.1. Default 0: a free one.
	Port int `yaml:"port,omitempty" json:"port,omitempty"`
	// ReadyTimeout bounds the boot. Default 60s; with kind 5m, for its image may have to be fetched.
	ReadyTimeout Duration `yaml:"readyTimeout,omitempty" json:"readyTimeout,omitempty"`
	// Etcd is the store.
	Etcd Etcd `yaml:"etcd,omitempty" json:"etcd,omitempty"`
	// APIServer is kube-apiserver.
	APIServer APIServer `yaml:"apiServer,omitempty" json:"apiServer,omitempty"`
	// ControllerManager is kube-controller-manager.
	ControllerManager Client `yaml:"controllerManager,omitempty" json:"controllerManager,omitempty"`
	// Scheduler is kube-scheduler.
	Scheduler Client `yaml:"scheduler,omitempty" json:"scheduler,omitempty"`
}

// Etcd configures the store.
type Etcd struct {
	// Fsync makes etcd flush every write to the disk, as it does in production. Default true.
	Fsync *bool `yaml:"fsync,omitempty" json:"fsync,omitempty" default:"true"`
	// Args are extra command-line flags, name (without dashes) to value.
	Args map[string]string `yaml:"args,omitempty" json:"args,omitempty"`
}

// APIServer configures kube-apiserver.
type APIServer struct {
	// Audit is the level of the audit log: none, metadata, request or requestResponse. Default none.
	Audit string `yaml:"audit,omitempty" json:"audit,omitempty" default:"none" enum:"none,metadata,request,requestResponse"`
	// Args are extra command-line flags, name (without dashes) to value.
	Args map[string]string `yaml:"args,omitempty" json:"args,omitempty"`
}

// Client configures a component that is a client of the API server.
type Client struct {
	// QPS is the component's own client-side limit, in requests a second per client (kube-api-qps).
	// Default: Kubernetes' own (controller-manager 20, scheduler 50).
	QPS float64 `yaml:"qps,omitempty" json:"qps,omitempty"`
	// Burst is the depth of that limit's bucket (kube-api-burst). Default: Kubernetes' own
	// (controller-manager 30, scheduler 100), but at least qps.
	Burst int `yaml:"burst,omitempty" json:"burst,omitempty"`
	// Args are extra command-line flags, name (without dashes) to value.
	Args map[string]string `yaml:"args,omitempty" json:"args,omitempty"`
}

// Words of HollowNodes.Tier and HollowNodes.Fidelity.
const (
	TierKubelet     = "kubelet"
	TierLight       = "light"
	FidelityKubelet = "kubelet"
	FidelityMinimal = "minimal"
)

// HollowNodes describes the simulated nodes.
type HollowNodes struct {
	// Count is how many nodes there are. Default 0.
	Count int `yaml:"count,omitempty" json:"count,omitempty"`
	// Tier is what a node is made of: kubelet is the real kubelet's code, light a state machine that behaves like one and costs a
	// fraction. Default kubelet.
	Tier string `yaml:"tier,omitempty" json:"tier,omitempty" default:"kubelet" enum:"kubelet,light"`
	// Fidelity is how closely a node of tier light behaves like one to the API server: kubelet makes a kubelet's calls with an identity
	// and connections of its own, minimal only what the scheduler and the controllers need, all nodes of a process with one identity,
	// whatever proxy, qps and burst say.
	// Default kubelet.
	Fidelity string `yaml:"fidelity,omitempty" json:"fidelity,omitempty" default:"kubelet" enum:"kubelet,minimal"`
	// Proxy gives every node a hollow kube-proxy. Default true.
	Proxy *bool `yaml:"proxy,omitempty" json:"proxy,omitempty" default:"true"`
	// PerProcess is the most nodes that one process holds. Default 250; of tier light 5000, at fidelity minimal 50000.
	PerProcess int `yaml:"perProcess,omitempty" json:"perProcess,omitempty"`
	// NamePrefix begins every node's name; a number follows. Default "hollow-".
	NamePrefix string `yaml:"namePrefix,omitempty" json:"namePrefix,omitempty" default:"hollow-"`
	// MaxPods is the most pods that a node admits. Default 110.
	MaxPods int `yaml:"maxPods,omitempty" json:"maxPods,omitempty" default:"110"`
	// Capacity is the node's capacity by resource name, as Kubernetes quantities. Default cpu 32, memory 256Gi.
	// Names other than cpu and memory are extended resources.
	Capacity map[string]string `yaml:"capacity,omitempty" json:"capacity,omitempty"`
	// Labels are set on every node.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty"`
	// Taints are set on every node.
	Taints []Taint `yaml:"taints,omitempty" json:"taints,omitempty"`
	// Zones spreads the nodes evenly over this many zones (topology.kubernetes.io/zone: zone-0, zone-1, …). Default 1.
	Zones int `yaml:"zones,omitempty" json:"zones,omitempty" default:"1"`
	// PaddingBytes makes every node object larger by an annotation of this many bytes. Default 0.
	PaddingBytes int `yaml:"paddingBytes,omitempty" json:"paddingBytes,omitempty"`
	// QPS is the kubelet's own client limit, in requests a second. Default 50, as Kubernetes sets it.
	QPS float64 `yaml:"qps,omitempty" json:"qps,omitempty" default:"50"`
	// Burst is the depth of that limit's bucket. Default 100, as Kubernetes sets it.
	Burst int `yaml:"burst,omitempty" json:"burst,omitempty" default:"100"`
	// Runtime is the simulated container runtime.
	Runtime Runtime `yaml:"runtime,omitempty" json:"runtime,omitempty"`
	// Stages are the life cycles that pods go through on nodes of tier light, all together one set (docs/stages.md).
	// Default: the tier's own.
	Stages []StageSource `yaml:"stages,omitempty" json:"stages,omitempty"`
	// Usage has nodes of tier light serve what their pods use of CPU and memory, for metrics-server and whoever reads it: kubectl top, a
	// HorizontalPodAutoscaler (docs/usage.md). Default: they serve nothing. With the provider embedded only.
	Usage *Usage `yaml:"usage,omitempty" json:"usage,omitempty"`
	// ReadyTimeout bounds the time until all nodes are Ready. Default 30s and 250ms a node.
	ReadyTimeout Duration `yaml:"readyTimeout,omitempty" json:"readyTimeout,omitempty"`
}

// Light says whether the nodes are of tier light.
func (h HollowNodes) Light() bool { return h.Tier == TierLight }

// Minimal says whether they are so at fidelity minimal.
func (h HollowNodes) Minimal() bool { return h.Light() && h.Fidelity == FidelityMinimal }

// WithProxy says whether every node has a hollow kube-proxy: by default, but never at fidelity minimal.
func (h HollowNodes) WithProxy() bool { return !h.Minimal() && (h.Proxy == nil || *h.Proxy) }

// Taint is a node taint.
type Taint struct {
	// Key is the taint's key.
	Key string `yaml:"key" json:"key"`
	// Value is the taint's value.
	Value string `yaml:"value,omitempty" json:"value,omitempty"`
	// Effect is NoSchedule, PreferNoSchedule or NoExecute.
	Effect string `yaml:"effect" json:"effect" enum:"NoSchedule,PreferNoSchedule,NoExecute"`
}

// Runtime is the simulated container runtime of a hollow node.
type Runtime struct {
	// SandboxStart is the time to create a pod's sandbox. Default 0s.
	SandboxStart Duration `yaml:"sandboxStart,omitempty" json:"sandboxStart,omitempty"`
	// ContainerStart is the time to start one container. Default 0s.
	ContainerStart Duration `yaml:"containerStart,omitempty" json:"containerStart,omitempty"`
	// ContainerStop is the time that a container takes to stop, at most its grace period. Default 0s.
	ContainerStop Duration `yaml:"containerStop,omitempty" json:"containerStop,omitempty"`
	// SandboxStartP99 makes the time vary on nodes of tier light: it is drawn from the seed, of a log-normal distribution of which
	// sandboxStart is the median and this the 99th percentile. Default: always sandboxStart.
	SandboxStartP99 Duration `yaml:"sandboxStartP99,omitempty" json:"sandboxStartP99,omitempty"`
	// ContainerStartP99 is the same of containerStart, drawn for each container.
	ContainerStartP99 Duration `yaml:"containerStartP99,omitempty" json:"containerStartP99,omitempty"`
	// ContainerStopP99 is the same of containerStop.
	ContainerStopP99 Duration `yaml:"containerStopP99,omitempty" json:"containerStopP99,omitempty"`
}

// StageSource is where stages come from: exactly one of a built-in life cycle, a file and a text. In the record of a run all of
// them are texts.
type StageSource struct {
	// Builtin is the name of a built-in life cycle: windtunnel stages list.
	Builtin string `yaml:"builtin,omitempty" json:"builtin,omitempty"`
	// File is the path of a file of stages, from the profile's own folder.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Text is the stages themselves.
	Text string `yaml:"text,omitempty" json:"text,omitempty"`
	// Name is what problems call the text. Default: the place in the profile.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
}

// Object is a template of a Kubernetes object. The instances of a template NAME are called NAME-0, NAME-1, … and carry
// the labels windtunnel/run and windtunnel/object.
type Object struct {
	// Manifest is the object without name and namespace. In every string of it ${name}, ${namespace}, ${index} and
	// ${run} are replaced; $${ stands for a ${ that is to stay.
	Manifest map[string]any `yaml:"manifest" json:"manifest"`
	// PaddingBytes makes every instance larger by an annotation of this many bytes, which do not compress. Default 0.
	PaddingBytes int `yaml:"paddingBytes,omitempty" json:"paddingBytes,omitempty"`
	// In names the template whose instances (of kind Namespace) hold this object's instances, in turn: as many of them as
	// there are when the first instance is made. Required when the kind is namespaced.
	In string `yaml:"in,omitempty" json:"in,omitempty"`
	// Resource is the plural name in the API, for kinds that windtunnel does not know.
	Resource string `yaml:"resource,omitempty" json:"resource,omitempty"`
	// ClusterScoped says that a kind that windtunnel does not know has no namespace.
	ClusterScoped bool `yaml:"clusterScoped,omitempty" json:"clusterScoped,omitempty"`
}

// Phase is one stage of a run. Its tracks run at the same time; it ends when all its foreground tracks have ended.
type Phase struct {
	// Name is unique in the profile: prepare, warm-up, workload and cleanup are the customary ones.
	Name string `yaml:"name" json:"name"`
	// Measured makes this phase part of the window over which the SLO is judged.
	Measured bool `yaml:"measured,omitempty" json:"measured,omitempty"`
	// Timeout bounds the phase. Default 10m.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" default:"10m"`
	// Tracks run side by side.
	Tracks []Track `yaml:"tracks" json:"tracks"`
}

// Track is a sequence of steps.
type Track struct {
	// Name is unique in the phase.
	Name string `yaml:"name" json:"name"`
	// Background lets the phase end without this track, which is then stopped.
	Background bool `yaml:"background,omitempty" json:"background,omitempty"`
	// Steps run one after another.
	Steps []Step `yaml:"steps" json:"steps"`
}

// Step is one action of a track: exactly one of its fields is set.
type Step struct {
	// Reconcile creates or deletes instances of a template until there are so many.
	Reconcile *Reconcile `yaml:"reconcile,omitempty" json:"reconcile,omitempty"`
	// Requests sends a weighted mix of single requests.
	Requests *Requests `yaml:"requests,omitempty" json:"requests,omitempty"`
	// Watch keeps watches open and receives what happens.
	Watch *Watch `yaml:"watch,omitempty" json:"watch,omitempty"`
	// Wait ends when a condition holds.
	Wait *Wait `yaml:"wait,omitempty" json:"wait,omitempty"`
	// Pause waits for a fixed time.
	Pause Duration `yaml:"pause,omitempty" json:"pause,omitempty"`
	// Fault breaks or mends a node or a component.
	Fault *Fault `yaml:"fault,omitempty" json:"fault,omitempty"`
}

// Reconcile brings the number of instances of a template to Count, one request an arrival. New instances get the next
// free numbers; the youngest are deleted first.
type Reconcile struct {
	// Object is the template's name.
	Object string `yaml:"object" json:"object"`
	// Count is the number of instances afterwards.
	Count int `yaml:"count" json:"count"`
	// Arrivals says when the requests are sent. Default: as fast as MaxInFlight allows.
	Arrivals *Arrivals `yaml:"arrivals,omitempty" json:"arrivals,omitempty"`
	// MaxInFlight bounds the requests that are under way. Default 10.
	MaxInFlight int `yaml:"maxInFlight,omitempty" json:"maxInFlight,omitempty" default:"10"`
}

// Requests sends requests drawn from a weighted mix: an open-loop stream by arrivals, or a closed loop of users. Exactly
// one of the two is set.
type Requests struct {
	// Arrivals says at which instants requests are sent, whether or not those before them have been answered.
	Arrivals *Arrivals `yaml:"arrivals,omitempty" json:"arrivals,omitempty"`
	// ClosedLoop says how many users send requests, each the next one after its last was answered.
	ClosedLoop *ClosedLoop `yaml:"closedLoop,omitempty" json:"closedLoop,omitempty"`
	// Connections is the fixed number of HTTP/2 connections. Default 2.
	Connections int `yaml:"connections,omitempty" json:"connections,omitempty" default:"2"`
	// Identities is the number of users (windtunnel:user-0, …) that the requests are spread over. Default 1.
	Identities int `yaml:"identities,omitempty" json:"identities,omitempty" default:"1"`
	// MaxInFlight bounds the requests under way; an arrival beyond it waits and its latency counts the wait. Default 200;
	// of a closed loop, the number of users.
	MaxInFlight int `yaml:"maxInFlight,omitempty" json:"maxInFlight,omitempty" default:"200"`
	// Mix is what is sent.
	Mix []Request `yaml:"mix" json:"mix"`
}

// Wait blocks until a condition holds.
type Wait struct {
	// PodsRunning is the number of pods of the instances of Object that must have been seen running; -1 means as many as
	// its instances ask for.
	PodsRunning int `yaml:"podsRunning,omitempty" json:"podsRunning,omitempty"`
	// PodsGone waits until no pod of Object's instances is left.
	PodsGone bool `yaml:"podsGone,omitempty" json:"podsGone,omitempty"`
	// NodesReady is the number of hollow nodes that must be Ready; -1 means all.
	NodesReady int `yaml:"nodesReady,omitempty" json:"nodesReady,omitempty"`
	// Object is the template that PodsRunning and PodsGone look at.
	Object string `yaml:"object,omitempty" json:"object,omitempty"`
	// Timeout bounds the wait. Default 5m.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" default:"5m"`
}

// Fault breaks or mends something.
type Fault struct {
	// NodesDown cuts this many hollow nodes off from the control plane, chosen from the seed.
	NodesDown int `yaml:"nodesDown,omitempty" json:"nodesDown,omitempty"`
	// NodesUp connects this many of the nodes that are down again, the first that went first; -1 means all.
	NodesUp int `yaml:"nodesUp,omitempty" json:"nodesUp,omitempty"`
	// Kill ends a component with SIGKILL: etcd, kube-apiserver, kube-controller-manager or kube-scheduler.
	Kill string `yaml:"kill,omitempty" json:"kill,omitempty" enum:"etcd,kube-apiserver,kube-controller-manager,kube-scheduler"`
	// Restart starts a component that was killed again, with the same flags.
	Restart string `yaml:"restart,omitempty" json:"restart,omitempty" enum:"etcd,kube-apiserver,kube-controller-manager,kube-scheduler"`
	// Nodes breaks nodes in one of several ways for a time, once or at a rate.
	Nodes *NodeFault `yaml:"nodes,omitempty" json:"nodes,omitempty"`
}

// SLO is what the verdict requires, after sig-scalability's definitions.
type SLO struct {
	// Judged is whether the run gets a verdict; false shows the same figures without one. Default true.
	Judged *bool `yaml:"judged,omitempty" json:"judged,omitempty" default:"true"`
	// MinSamples is the least number of samples that a required row needs; below it the row is "no data". Default 299:
	// the least n at which all samples within the threshold show with 95 % confidence that the 99th percentile is.
	MinSamples int `yaml:"minSamples,omitempty" json:"minSamples,omitempty" default:"299"`
	// APICalls are the rows of the server's SLI histogram that are required. Rows not named here are shown and never decide.
	APICalls []APICallSLO `yaml:"apiCalls,omitempty" json:"apiCalls,omitempty"`
	// PodStartup requires the pod start-up SLO (99 % within 5 s) of the pods of this template. Default: not required.
	PodStartup string `yaml:"podStartup,omitempty" json:"podStartup,omitempty"`
}

// APICallSLO names one row (verb, resource, scope) of the API-call SLO. Its threshold follows from sig-scalability: 1 s
// for mutating calls and scope resource, 30 s for scope namespace and cluster.
type APICallSLO struct {
	// Verb is as in Kubernetes' metrics: GET, LIST, POST, PUT, PATCH, DELETE, APPLY.
	Verb string `yaml:"verb" json:"verb" enum:"GET,LIST,POST,PUT,PATCH,DELETE,APPLY"`
	// Resource is the plural name, with /SUBRESOURCE where there is one, such as pods/status.
	Resource string `yaml:"resource" json:"resource"`
	// Scope is resource, namespace or cluster. Default resource.
	Scope string `yaml:"scope,omitempty" json:"scope,omitempty" default:"resource" enum:"resource,namespace,cluster"`
}

// Validity is what makes a run trustworthy.
type Validity struct {
	// MinAchieved is the least fraction of planned requests that must have been sent. Default 1.
	MinAchieved float64 `yaml:"minAchieved" json:"minAchieved" default:"1"`
	// MaxLag is the largest p99 of the time from planned to sent. Default 100ms.
	MaxLag Duration `yaml:"maxLag,omitempty" json:"maxLag,omitempty" default:"100ms"`
	// MaxErrors is the largest fraction of requests that may fail. Default 0.01.
	MaxErrors float64 `yaml:"maxErrors" json:"maxErrors" default:"0.01"`
	// MaxGeneratorCPU is the largest share of the machine's CPU time that the load generator itself may take. Default 0.25.
	MaxGeneratorCPU float64 `yaml:"maxGeneratorCPU,omitempty" json:"maxGeneratorCPU,omitempty" default:"0.25"`
}

// Axis is one way to make the load of a profile larger. capacity --axis NAME runs the profile at different levels of it.
type Axis struct {
	// Description says what a level is, in one sentence for people.
	Description string `yaml:"description,omitempty" json:"description,omitempty"`
	// Unit is that of a level, such as pods/node.
	Unit string `yaml:"unit,omitempty" json:"unit,omitempty"`
	// From is the first level that is tried, unless --from says another. Default 1.
	From float64 `yaml:"from,omitempty" json:"from,omitempty" default:"1"`
	// To is the highest level that is tried, unless --to says another.
	To float64 `yaml:"to" json:"to"`
	// Step is the smallest difference between two levels; levels are multiples of it. Default 1.
	Step float64 `yaml:"step,omitempty" json:"step,omitempty" default:"1"`
	// Set says what a level sets: path, as --set takes it, to a formula over level and other numbers of the profile by their
	// paths, such as level * hollowNodes.count / 100. Formulas have + - * / ( ), min, max, round, floor and ceil; they see
	// the profile as it is before the level is set; durations count in seconds.
	Set map[string]string `yaml:"set" json:"set"`
}
