package cl2

import (
	"slices"
	"strings"
)

// Method is a kind of measurement that a config can name.
type Method struct {
	// Name is what configs call it.
	Name string
	// Needs is what it reads from or runs in, where that is more than the API: prometheus, probes (pods that run code), ssh (the
	// machines of the control plane), cloud (a provider's own controllers) or exec (commands in pods).
	Needs string
	// Skip says why it cannot be measured on hollow nodes; empty where it can.
	Skip string
	// Actions are the values of the parameter action; empty where there is none.
	Actions []string
	// Params are the others.
	Params []Param
	// AnyCase says that the names of parameters are told apart without regard to case.
	AnyCase bool
}

// Param is one parameter of a method.
type Param struct {
	// Name as the config writes it, also where it is misspelt in ClusterLoader2.
	Name string
	// Type is text, int, float, bool, duration, list, map or maps (a list of mappings); and where ClusterLoader2 reads the value as JSON,
	// number, switch and texts, which are taken out of nothing else.
	Type string
	// Required are the actions that fail without it, with spaces between them; * for every one.
	Required string
	// Keys are those that the mapping has, or each of the mappings; none where nobody knows them.
	Keys []Param
}

// neededBy tells whether an action fails without it.
func (p Param) neededBy(action string) bool {
	return p.Required == "*" || action != "" && slices.Contains(strings.Fields(p.Required), action)
}

// Reasons for which a measurement makes no sense on hollow nodes.
const (
	noNetwork = "hollow nodes run no containers and have no network between pods"
	noRules   = "hollow proxies program no rules"
	noCloud   = "there is no cloud provider"
	noAddOn   = "hollow nodes do not run the component that it measures"
	noRecord  = "a run keeps no records that it could be computed from"
	noExec    = "nothing can be executed in the pods of hollow nodes"

	noDriver   = "nothing is installed in the cluster, and hollow nodes run no drivers; what needs it will wait in vain"
	notOurs    = "the control plane belongs to somebody else: its components are not killed and not restarted"
	noCommands = "commands of a test are not executed on this machine"
)

// methodTable has a line a method: name | needs | actions | parameters | why not. A parameter is name:type, with the keys of mappings
// behind it in parentheses, and then with ! where every action needs it and !ACTION where one does. selector stands for namespace, labelSelector and fieldSelector, and a method that
// needs prometheus has enableViolations and prometheusClient, too.
const methodTable = `
APIAvailability | | start pause unpause gather | pollFrequency:duration!start threshold:float useHostInternalIPs:bool useHostPublicIPs:bool hostPollTimeoutSeconds:int hostPollExecTimeoutSeconds:int |
APIResponsivenessPrometheus | prometheus | start gather | useSimpleLatencyQuery:bool summaryName:text allowedSlowCalls:int customThresholds:text singleResourceThreshold:duration |
BlockProfile | | start gather | componentName:text! |
CPUProfile | | start gather | componentName:text! |
ChaosMonkey | | start stop | failureRate:float interval:duration jitterFactor:float simulatedDowntime:duration |
CiliumEndpointPropagationDelay | prometheus | start gather | bucketSLO:float percentileSLO:float | ADDON
ClusterOOMsTracker | | start gather | clusterOOMsTrackerEnabled:bool clusterOOMsIgnoredProcesses:text clusterOOMsFailureEnabled:bool |
ContainerRestarts | prometheus | start gather | defaultAllowedRestarts:int failureEnabled:bool customAllowedRestarts:text |
DNSPerformanceK8sHostnames | probes | | testNamespace:text podReplicas:int qpsPerClient:int testDurationMinutes:int | NETWORK
DnsLookupLatency | probes | start gather | PROBE | NETWORK
DnsPropagation | probes | start gather | PROBE DNSPropagationProbeService:text DNSPropagationProbeStatefulSet:text DNSPropagationProbePodCount:int DNSPropagationProbeSampleCount:int DNSPropagationProbeNamespaceIndex:int DNSPropagationProbeCpu:text DNSPropagationProbeMemory:text | NETWORK
EtcdMetrics | ssh | start gather | waitTime:duration |
Exec | | | command:list! timeout:duration retries:int backoffDelay:duration | COMMANDS
GenericPrometheusQuery | prometheus | start gather | metricName:text!start metricVersion:text!start unit:text!start queries:maps(name:text,query:text!,aggregations:texts,threshold:number,lowerBound:switch,requireSamples:switch) dimensions:texts |
InClusterAPIServerRequestLatency | probes | start gather | PROBE | NETWORK
InClusterNetworkLatency | probes | start gather | PROBE | NETWORK
JobLifecycleLatency | | start gather | selector timeout:duration |
KubeStateMetricsLatency | | start gather | | ADDON
LoadBalancerNodeSyncLatency | cloud | measure gather | selector waitTimeout:duration | CLOUD
MemoryProfile | | start gather | componentName:text! |
MetricsForE2E | | | gatherKubeletsMetrics:bool |
MetricsServerPrometheus | prometheus | start gather | | ADDON
NegLatency | prometheus | start gather | negInitBucketSLO:float negInitPercentileSLO:float negAttachBucketSLO:float negAttachPercentileSLO:float negDetachBucketSLO:float negDetachPercentileSLO:float | CLOUD
NetworkPerformanceMetrics | probes | start gather | duration:duration!start protocol:text!start numberOfClients:int!start numberOfServers:int!start | NETWORK
NetworkPolicyEnforcement | probes | setup run complete | targetLabelKey:text targetLabelValue:text!setup testClientNamespace:text baseline:bool testClientNodeSelectorValue:text!setup targetPort:int maxTargets:int metricsPort:int testType:text policyLoadTargetBaseName:text policyLoadCount:int policyLoadQPS:int | NETWORK
NetworkProgrammingLatency | prometheus | start gather | threshold:duration!gather | RULES
NodeHealthTracker | | start stop gather | selector threshold:int ratio:float |
NodeLocalDNSLatencyPrometheus | prometheus | start gather | threshold:duration | ADDON
PodPeriodicCommand | exec | start gather | labelSelector:text!start interval:duration!start container:text!start limit:int!start failOnCommandError:bool!start failOnExecError:bool!start failOnTimeout:bool!start commands:maps(name:text!,command:list!,timeout:duration!)!start | EXEC
PodStartupLatency | | start gather | selector threshold:duration perc50Threshold:duration perc90Threshold:duration perc99Threshold:duration mapEventsByOrder:bool schedulerName:text |
PrometheusSchedulingMetrics | prometheus | start gather | |
ResourceClaimAllocationLatency | | start gather | selector threshold:duration perc50Threshold:duration perc90Threshold:duration perc99Threshold:duration | RECORD
ResourceUsageSummary | ssh | start gather | host:text namespace:text resourceConstraints:text |
RestartApiserver | ssh | | downSeconds:int readyTimeout:duration |
SLOMeasurement | prometheus | start gather | PROBE overrides:map |
SchedulingMetrics | ssh | reset start gather | masterIP:text masterName:text |
SchedulingThroughput | | start gather | selector measurmentInterval:duration threshold:float enableViolations:bool |
SchedulingThroughputPrometheus | prometheus | start gather | threshold:float |
ServiceCreationLatency | exec | start waitForReady waitForDeletion gather | selector waitTimeout:duration checkIngress:bool | NETWORK
Sleep | | | duration:duration! |
SystemPodMetrics | | start pause unpause gather | SYSTEMPODS |
TestMetrics | ssh | start gather pauseSystemPodMetrics unpauseSystemPodMetrics | SYSTEMPODS clusterOOMsTrackerEnabled:bool clusterOOMsIgnoredProcesses:text clusterOOMsFailureEnabled:bool resourceConstraints:text host:text namespace:text masterIP:text masterName:text waitTime:duration gatherKubeletsMetrics:bool |
Timer | | start stop gather | label:text!start!stop |
WaitForAvailablePVs | | | selector desiredPVCount:int! provisioner:text! timeout:duration |
WaitForBoundPVCs | | | selector desiredPVCCount:int! timeout:duration |
WaitForControlledPodsRunning | | start gather stop | selector apiVersion:text!start kind:text!start operationTimeout:duration checkIfPodsAreUpdated:bool countErrorMargin:int syncTimeout:duration |
WaitForFinishedJobs | | start gather | selector timeout:duration |
WaitForGenericK8sObjects | | | objectGroup:text! objectVersion:text! objectResource:text! namespaceRange:map(min:int,max:int,prefix:text,allNamespaces:bool) labelSelector:text timeout:duration refreshInterval:duration successfulConditions:list failedConditions:list minDesiredObjectCount:int! maxFailedObjectCount:int |
WaitForNodes | | | selector minDesiredNodeCount:int! maxDesiredNodeCount:int! timeout:duration refreshInterval:duration |
WaitForRunningPods | | | selector desiredPodCount:int! timeout:duration refreshInterval:duration isFatal:bool |
WindowsResourceUsagePrometheus | prometheus | start gather | summaryName:text | ADDON
`

// Methods are all measurements that ClusterLoader2 knows, by name.
func Methods() []Method {
	words := strings.NewReplacer(
		"selector", "namespace:text labelSelector:text fieldSelector:text",
		"PROBE", "replicasPerProbe:int!start pingSleepDuration:duration threshold:duration checkProbesReadyTimeout:duration checkProbesReadyInterval:duration",
		"SYSTEMPODS", "systemPodMetricsEnabled:bool restartCountThresholdOverrides:text enableRestartCountCheck:bool systemPodsFailureEnabled:bool",
	)
	reasons := map[string]string{"NETWORK": noNetwork, "RULES": noRules, "CLOUD": noCloud, "ADDON": noAddOn, "EXEC": noExec, "COMMANDS": noCommands, "RECORD": noRecord}
	var all []Method
	for line := range strings.Lines(strings.TrimSpace(methodTable)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		m := Method{Name: cells[0], Needs: cells[1], Actions: strings.Fields(cells[2]), Skip: reasons[cells[4]]}
		m.AnyCase = m.Name == "GenericPrometheusQuery" || m.Name == "ChaosMonkey"
		for _, word := range strings.Fields(words.Replace(cells[3])) {
			m.Params = append(m.Params, parseParam(word))
		}
		if m.Needs == "prometheus" || m.Needs == "probes" && len(m.Actions) > 0 {
			m.Params = append(m.Params, Param{Name: "enableViolations", Type: "bool"}, Param{Name: "prometheusClient", Type: "text"})
		}
		all = append(all, m)
	}
	return all
}

// parseParam reads name:type or name:type(KEY,KEY), and behind it !, !ACTION or several !ACTION.
func parseParam(word string) Param {
	name, rest, _ := strings.Cut(word, ":")
	p := Param{Name: name}
	if kind, inner, ok := strings.Cut(rest, "("); ok {
		keys, behind, _ := strings.Cut(inner, ")")
		for _, key := range strings.Split(keys, ",") {
			p.Keys = append(p.Keys, parseParam(key))
		}
		rest = kind + behind
	}
	kind, actions, required := strings.Cut(rest, "!")
	p.Type, p.Required = kind, strings.ReplaceAll(actions, "!", " ")
	if required && actions == "" {
		p.Required = "*"
	}
	return p
}

// dependencyMethods are what a config can have set up in the cluster.
func dependencyMethods() []string { return []string{"DRATestDriver"} }
