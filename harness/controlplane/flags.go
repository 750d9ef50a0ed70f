package controlplane

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel/profiles"
)

// flags are command-line flags by name, each given once.
type flags map[string]string

// argv renders the flags in the order of their names, so that the same profile gives the same command line.
func (f flags) argv() []string {
	args := make([]string, 0, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		args = append(args, "--"+name+"="+f[name])
	}
	return args
}

// merge lets the profile's flags take the place of ours, value for value: a list is replaced and not added to. Names
// are taken with or without dashes before them and, as Kubernetes does, with underscores for dashes.
func (f flags) merge(extra map[string]string) flags {
	for name, value := range extra {
		f[flagName(name)] = value
	}
	return f
}

func flagName(name string) string { return strings.ReplaceAll(strings.TrimLeft(name, "-"), "_", "-") }

// checkArgs reports all flags of the profile that cannot be: no names, given twice, or those by which the components
// find each other.
func checkArgs(spec profiles.ControlPlane) error {
	secure := []string{"bind-address", "secure-port"}
	var errs []error
	for _, c := range []struct {
		field    string
		args     map[string]string
		reserved []string
	}{
		{"etcd", spec.Etcd.Args, []string{"listen-client-urls", "advertise-client-urls", "listen-peer-urls",
			"initial-advertise-peer-urls", "initial-cluster", "listen-metrics-urls"}},
		{"apiServer", spec.APIServer.Args, secure},
		{"controllerManager", spec.ControllerManager.Args, secure},
		{"scheduler", spec.Scheduler.Args, secure},
	} {
		seen := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(c.args)) {
			clean := flagName(name)
			problem := ""
			switch {
			case clean == "" || strings.ContainsAny(clean, "= \t\n"):
				problem = "is no flag name"
			case seen[clean]:
				problem = "is given twice"
			case slices.Contains(c.reserved, clean):
				problem = "cannot be set: windtunnel chooses the addresses (for the API server's port there is controlPlane.port)"
			}
			if problem != "" {
				errs = append(errs, fmt.Errorf("controlPlane.%s.args: %q %s", c.field, name, problem))
			}
			seen[clean] = true
		}
	}
	return errors.Join(errs...)
}

// Addresses of the simulated cluster: pods, and services apart from them. None is ever routed.
const (
	podCIDR     = "10.0.0.0/8" // 65 536 nodes of 254 pods
	podMaskSize = "24"
	serviceCIDR = "172.30.0.0/16"
)

// etcdQuota is the size at which etcd stops taking writes: 8 GiB, the most that etcd recommends.
const etcdQuota = "8589934592"

func (c *Cluster) etcdFlags(spec profiles.Etcd, ports map[string]int) flags {
	client, peer := loopback("https", ports["client"]), loopback("https", ports["peer"])
	f := flags{
		"name":                        "windtunnel",
		"data-dir":                    c.disk("etcd"),
		"listen-client-urls":          client,
		"advertise-client-urls":       client,
		"listen-peer-urls":            peer,
		"initial-advertise-peer-urls": peer,
		"initial-cluster":             "windtunnel=" + peer,
		"listen-metrics-urls":         loopback("http", ports["metrics"]),
		"client-cert-auth":            "true",
		"trusted-ca-file":             c.pki.cert("etcd-ca"),
		"cert-file":                   c.pki.cert(etcdName),
		"key-file":                    c.pki.key(etcdName),
		"peer-client-cert-auth":       "true",
		"peer-trusted-ca-file":        c.pki.cert("etcd-ca"),
		"peer-cert-file":              c.pki.cert("etcd-peer"),
		"peer-key-file":               c.pki.key("etcd-peer"),
		"quota-backend-bytes":         etcdQuota,
	}
	if spec.Fsync != nil && !*spec.Fsync {
		f["unsafe-no-fsync"] = "true"
	}
	return f.merge(spec.Args)
}

func (c *Cluster) apiServerFlags(spec profiles.APIServer, ports map[string]int) flags {
	f := flags{
		"bind-address":      "127.0.0.1",
		"advertise-address": "127.0.0.1", // else it looks for the default route's
		"secure-port":       fmt.Sprint(ports["secure"]),
		// There is no network in which the service "kubernetes" could lead anywhere.
		"endpoint-reconciler-type": "none",
		"service-cluster-ip-range": serviceCIDR,

		"etcd-servers":  loopback("https", c.port(etcdName, "client")),
		"etcd-cafile":   c.pki.cert("etcd-ca"),
		"etcd-certfile": c.pki.cert("apiserver-etcd-client"),
		"etcd-keyfile":  c.pki.key("apiserver-etcd-client"),

		"tls-cert-file":        c.pki.cert(apiServerName),
		"tls-private-key-file": c.pki.key(apiServerName),
		"client-ca-file":       c.pki.cert("ca"),

		"authorization-mode":               "Node,RBAC",
		"enable-admission-plugins":         "NodeRestriction",
		"enable-priority-and-fairness":     "true",
		"profiling":                        "true",
		"service-account-issuer":           "https://kubernetes.default.svc.cluster.local",
		"service-account-key-file":         c.pki.cert("service-account"),
		"service-account-signing-key-file": c.pki.key("service-account"),

		"requestheader-client-ca-file":       c.pki.cert("front-proxy-ca"),
		"requestheader-allowed-names":        "front-proxy-client",
		"requestheader-username-headers":     "X-Remote-User",
		"requestheader-group-headers":        "X-Remote-Group",
		"requestheader-extra-headers-prefix": "X-Remote-Extra-",
		"proxy-client-cert-file":             c.pki.cert("front-proxy-client"),
		"proxy-client-key-file":              c.pki.key("front-proxy-client"),
	}
	if c.audit != "" {
		f["audit-policy-file"] = c.memory("audit-policy.yaml")
		f["audit-log-path"] = c.audit
		// In megabytes: one file for a whole run, which readers need not put together.
		f["audit-log-maxsize"] = "1000000"
	}
	return f.merge(spec.Args)
}

// clientFlags are common to the controller manager and the scheduler.
func (c *Cluster) clientFlags(name string, spec profiles.Client, ports map[string]int) flags {
	kubeconfig := c.memory(name + ".kubeconfig")
	f := flags{
		"kubeconfig":                   kubeconfig,
		"authentication-kubeconfig":    kubeconfig,
		"authorization-kubeconfig":     kubeconfig,
		"client-ca-file":               c.pki.cert("ca"),
		"requestheader-client-ca-file": c.pki.cert("front-proxy-ca"),
		"bind-address":                 "127.0.0.1",
		"secure-port":                  fmt.Sprint(ports["secure"]),
		"tls-cert-file":                c.pki.cert(name),
		"tls-private-key-file":         c.pki.key(name),
		"leader-elect":                 "false", // there is but one
		"profiling":                    "true",
	}
	if spec.QPS > 0 {
		f["kube-api-qps"] = fmt.Sprint(spec.QPS)
	}
	if spec.Burst > 0 {
		f["kube-api-burst"] = fmt.Sprint(spec.Burst)
	}
	return f
}

func (c *Cluster) controllerManagerFlags(spec profiles.Client, ports map[string]int) flags {
	f := c.clientFlags(controllerManagerName, spec, ports)
	maps.Copy(f, flags{
		"use-service-account-credentials":  "true",
		"service-account-private-key-file": c.pki.key("service-account"),
		"root-ca-file":                     c.pki.cert("ca"),
		"cluster-signing-cert-file":        c.pki.cert("ca"),
		"cluster-signing-key-file":         c.pki.key("ca"),
		"allocate-node-cidrs":              "true",
		"cluster-cidr":                     podCIDR,
		"node-cidr-mask-size":              podMaskSize,
		"service-cluster-ip-range":         serviceCIDR,
		// Its default lies under /usr, and it would make the directory there.
		"flex-volume-plugin-dir": c.memory("flex-volume-plugins"),
	})
	return f.merge(spec.Args)
}

func (c *Cluster) schedulerFlags(spec profiles.Client, ports map[string]int) flags {
	f := c.clientFlags(schedulerName, spec, ports)
	return f.merge(spec.Args)
}

func loopback(scheme string, port int) string {
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
}
