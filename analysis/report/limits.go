package report

import "windtunnel/analysis"

// limit is something that a run cannot show, and why.
type limit struct {
	what, why string
	provider  string // "" is every provider
	tier      string // "" is every tier of hollow nodes
	fidelity  string // "" is every level of it
}

// limits are what every simulated part leaves out. README.md and docs/fidelity.md say the same at length.
func limits() []limit {
	return []limit{
		{what: "Containers, images and networks", why: "A container starts after a time that the profile sets. Nothing is pulled, no CNI plugin runs, a Service leads nowhere and kube-proxy programs nothing: network programming, DNS and throughput cannot be measured.", tier: "kubelet"},
		{what: "Events and probes of the kubelet", why: "A real kubelet posts 3 or 4 events for each container that it starts; a hollow one posts none, and a container is ready when it has started.", tier: "kubelet"},
		{what: "Traffic to nodes", why: "Logs, exec, port-forward and the metrics of kubelets do not exist.", tier: "kubelet"},
		{what: "Containers, images and networks", why: "Nodes are of tier light: a state machine that makes the calls of a kubelet. Containers are times that the profile and the pods set. Nothing is pulled, no CNI plugin runs, a Service leads nowhere and kube-proxy programs nothing.", tier: "light"},
		{what: "Traffic to nodes", why: "Logs, exec, port-forward and the metrics of kubelets do not exist.", tier: "light"},
		{what: "The load of kubelets", why: "Nodes are of fidelity minimal: a lease and one status, one PATCH to start a pod and one DELETE to end it, all as one user with a few connections and two watches. What hundreds of kubelets ask of the API server is not there, and priority and fairness sees one flow.", tier: "light", fidelity: "minimal"},
		{what: "Separate machines", why: "The nodes share the machine's CPU with the control plane and the load, so that what the machine cannot carry shows as latency. CPU by component gives the account of each.", provider: "embedded"},
		{what: "Clocks that differ", why: "All instants come from one clock. Nodes have no skew of their own but what a fault of kind clockSkew has light nodes say.", provider: "embedded"},
		{what: "More than one replica", why: "One API server, one etcd member, one controller manager, one scheduler; no leader election, no fail-over, no load balancer.", provider: "embedded"},
		{what: "How the cluster is made", why: "Nobody here knows the flags, the limits and the machines of its components; what cannot be looked at has no figure, which does not mean that it is nothing. The nodes of the condition are the hollow ones alone.", provider: "existing"},
		{what: "Who else uses the cluster", why: "Its own users and controllers load it as well, and not the same in every run. The API server's figures count their requests too.", provider: "existing"},
		{what: "More than one API server", why: "Metrics are those of the one that answers. Latencies of the client have the way to the cluster in them, and its load balancers.", provider: "existing"},
		{what: "Separate machines", why: "The cluster's nodes are containers that share this machine's CPU and disk with each other, the hollow nodes and the load, beside a kubelet and a container runtime that the control plane alone would not need. CPU by component gives the account of each.", provider: "kind"},
		{what: "Clocks that differ", why: "All instants come from one clock. Nodes have no skew of their own but what a fault of kind clockSkew has light nodes say.", provider: "kind"},
		{what: "Server figures of every replica", why: "Metrics, audit log and faults are those of the first control-plane node; with several, requests go to the others, too.", provider: "kind"},
		{what: "How the cluster is made", why: "Nobody here knows the flags, the limits and the machines of its components; what cannot be looked at has no figure, which does not mean that it is nothing. The nodes of the condition are the hollow ones alone.", provider: "existing"},
		{what: "Who else uses the cluster", why: "Its own users and controllers load it as well, and not the same in every run. The API server's figures count their requests too.", provider: "existing"},
		{what: "More than one API server", why: "Metrics are those of the one that answers. Latencies of the client have the way to the cluster in them, and its load balancers.", provider: "existing"},
		{what: "The next run", why: "The intervals describe the requests of this run, which are not independent of each other. What another run would give only other runs tell: see windtunnel compare."},
	}
}

// limitsOf are those of a run's provider, and of the tier and fidelity of its nodes.
func limitsOf(s analysis.Study) []limit {
	tier := s.Profile.HollowNodes.Tier
	if tier == "" && s.Profile.HollowNodes.Count > 0 {
		tier = "kubelet"
	}
	level := s.Profile.HollowNodes.Fidelity
	var mine []limit
	for _, l := range limits() {
		if (l.provider == "" || l.provider == s.Run.Provider) && (l.tier == "" || l.tier == tier) && (l.fidelity == "" || l.fidelity == level) {
			mine = append(mine, l)
		}
	}
	return mine
}
