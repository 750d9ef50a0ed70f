package paper

// references are all sources that the text may cite.
func references() []Reference {
	const slos = "https://github.com/kubernetes/community/blob/master/sig-scalability/slos/"
	return []Reference{
		{"lei", "Lei Qing: Research on microservice performance simulation testing based on Kubemark. 2020.", ""},
		{"rfc2679", "G. Almes, S. Kalidindi, M. Zekauskas: A One-way Delay Metric for IPPM. RFC 2679, IETF, September 1999.", "https://www.rfc-editor.org/rfc/rfc2679"},
		{"rfc7679", "G. Almes, S. Kalidindi, M. Zekauskas, A. Morton (ed.): A One-Way Delay Metric for IP Performance Metrics (IPPM). RFC 7679, STD 81, IETF, January 2016.", "https://www.rfc-editor.org/rfc/rfc7679"},
		{"rfc5166", "S. Floyd (ed.): Metrics for the Evaluation of Congestion Control Mechanisms. RFC 5166, IETF, March 2008.", "https://www.rfc-editor.org/rfc/rfc5166"},
		{"slos", "Kubernetes SIG Scalability: Kubernetes scalability and performance SLIs/SLOs.", slos + "slos.md"},
		{"apislo", "Kubernetes SIG Scalability: API call latency SLIs/SLOs details.", slos + "api_call_latency.md"},
		{"podslo", "Kubernetes SIG Scalability: Pod startup latency SLI/SLO details.", slos + "pod_startup_latency.md"},
		{"kubemark", "Kubernetes SIG Scalability: Kubemark User Guide.", "https://github.com/kubernetes/community/blob/master/contributors/devel/sig-scalability/kubemark-guide.md"},
		{"open", "B. Schroeder, A. Wierman, M. Harchol-Balter: Open Versus Closed: A Cautionary Tale. NSDI 2006, USENIX, pp. 239–252.", "https://www.usenix.org/conference/nsdi-06/open-versus-closed-cautionary-tale"},
		{"order", "H. A. David, H. N. Nagaraja: Order Statistics. Third edition, Wiley, 2003.", ""},
		{"clopper", "C. J. Clopper, E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial. Biometrika 26 (4), 1934, pp. 404–413.", "https://doi.org/10.1093/biomet/26.4.404"},
		{"geyer", "C. J. Geyer: Practical Markov Chain Monte Carlo. Statistical Science 7 (4), 1992, pp. 473–483.", "https://doi.org/10.1214/ss/1177011137"},
		{"carlstein", "E. Carlstein: The use of subseries values for estimating the variance of a general statistic from a stationary sequence. The Annals of Statistics 14 (3), 1986, pp. 1171–1179.", "https://doi.org/10.1214/aos/1176350057"},
	}
}
