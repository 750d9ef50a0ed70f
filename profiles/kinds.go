package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// builtinKinds are the resources that Kubernetes 1.36 itself serves: group/version (the core group has no group), then one
// line a resource: plural, kind, and N for namespaced or C for cluster-scoped. Where a kind is served in several versions
// the preferred one comes first. Objects of other kinds name their resource in the profile.
const builtinKinds = `
v1
	bindings Binding N
	componentstatuses ComponentStatus C
	configmaps ConfigMap N
	endpoints Endpoints N
	events Event N
	limitranges LimitRange N
	namespaces Namespace C
	nodes Node C
	persistentvolumeclaims PersistentVolumeClaim N
	persistentvolumes PersistentVolume C
	pods Pod N
	podtemplates PodTemplate N
	replicationcontrollers ReplicationController N
	resourcequotas ResourceQuota N
	secrets Secret N
	serviceaccounts ServiceAccount N
	services Service N
admissionregistration.k8s.io/v1
	mutatingadmissionpolicies MutatingAdmissionPolicy C
	mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding C
	mutatingwebhookconfigurations MutatingWebhookConfiguration C
	validatingadmissionpolicies ValidatingAdmissionPolicy C
	validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding C
	validatingwebhookconfigurations ValidatingWebhookConfiguration C
apiextensions.k8s.io/v1
	customresourcedefinitions CustomResourceDefinition C
apiregistration.k8s.io/v1
	apiservices APIService C
apps/v1
	controllerrevisions ControllerRevision N
	daemonsets DaemonSet N
	deployments Deployment N
	replicasets ReplicaSet N
	statefulsets StatefulSet N
authentication.k8s.io/v1
	selfsubjectreviews SelfSubjectReview C
	tokenreviews TokenReview C
authorization.k8s.io/v1
	localsubjectaccessreviews LocalSubjectAccessReview N
	selfsubjectaccessreviews SelfSubjectAccessReview C
	selfsubjectrulesreviews SelfSubjectRulesReview C
	subjectaccessreviews SubjectAccessReview C
autoscaling/v2
	horizontalpodautoscalers HorizontalPodAutoscaler N
autoscaling/v1
	horizontalpodautoscalers HorizontalPodAutoscaler N
batch/v1
	cronjobs CronJob N
	jobs Job N
certificates.k8s.io/v1
	certificatesigningrequests CertificateSigningRequest C
coordination.k8s.io/v1
	leases Lease N
discovery.k8s.io/v1
	endpointslices EndpointSlice N
events.k8s.io/v1
	events Event N
flowcontrol.apiserver.k8s.io/v1
	flowschemas FlowSchema C
	prioritylevelconfigurations PriorityLevelConfiguration C
networking.k8s.io/v1
	ingressclasses IngressClass C
	ingresses Ingress N
	ipaddresses IPAddress C
	networkpolicies NetworkPolicy N
	servicecidrs ServiceCIDR C
node.k8s.io/v1
	runtimeclasses RuntimeClass C
policy/v1
	poddisruptionbudgets PodDisruptionBudget N
rbac.authorization.k8s.io/v1
	clusterrolebindings ClusterRoleBinding C
	clusterroles ClusterRole C
	rolebindings RoleBinding N
	roles Role N
resource.k8s.io/v1
	deviceclasses DeviceClass C
	resourceclaims ResourceClaim N
	resourceclaimtemplates ResourceClaimTemplate N
	resourceslices ResourceSlice C
scheduling.k8s.io/v1
	priorityclasses PriorityClass C
storage.k8s.io/v1
	csidrivers CSIDriver C
	csinodes CSINode C
	csistoragecapacities CSIStorageCapacity N
	storageclasses StorageClass C
	volumeattachments VolumeAttachment C
	volumeattributesclasses VolumeAttributesClass C
`

// Resources are the built-in resources that a profile can name without further words, in the order of the API groups.
func Resources() []Resource {
	var all []Resource
	var group, version string
	for line := range strings.Lines(builtinKinds) {
		fields := strings.Fields(line)
		switch len(fields) {
		case 1:
			group, version = splitAPIVersion(fields[0])
		case 3:
			all = append(all, Resource{Group: group, Version: version, Name: fields[0], Kind: fields[1], Namespaced: fields[2] == "N"})
		}
	}
	return all
}

// ResourceFor finds the built-in resource of a manifest's apiVersion (such as apps/v1) and kind.
func ResourceFor(apiVersion, kind string) (Resource, bool) {
	group, version := splitAPIVersion(apiVersion)
	return findResource(func(r Resource) bool { return r.Kind == kind && r.Group == group && r.Version == version })
}

// ResourceByName finds a resource as a profile names it: pods, or with its group and version apps/v1/deployments (v1/pods
// in the core group). A name alone means the preferred version of the first group that has it. A name with group and
// version that is not built in gives the resource without kind, and known is false: it may be of a custom resource.
func ResourceByName(name string) (resource Resource, known bool) {
	cut := strings.LastIndexByte(name, '/')
	if cut < 0 {
		return findResource(func(r Resource) bool { return r.Name == name })
	}
	group, version := splitAPIVersion(name[:cut])
	plural := name[cut+1:]
	resource, known = findResource(func(r Resource) bool { return r.Name == plural && r.Group == group && r.Version == version })
	if !known {
		resource = Resource{Group: group, Version: version, Name: plural}
	}
	return resource, known
}

func findResource(match func(Resource) bool) (Resource, bool) {
	all := Resources()
	if i := slices.IndexFunc(all, match); i >= 0 {
		return all[i], true
	}
	return Resource{}, false
}

// APIVersion is the resource's group and version as a manifest writes them.
func (r Resource) APIVersion() string {
	if r.Group == "" {
		return r.Version
	}
	return r.Group + "/" + r.Version
}

// String is the resource as a profile can name it, such as apps/v1/deployments, or pods in the core group.
func (r Resource) String() string {
	if r.Group == "" && r.Version == "v1" {
		return r.Name
	}
	return r.APIVersion() + "/" + r.Name
}

// Path is the URL path of the resource: of one object with a name, of the collection without. Namespace is empty for
// cluster-scoped resources and for a LIST over all namespaces.
func (r Resource) Path(namespace, name string) string {
	var b strings.Builder
	if r.Group == "" {
		fmt.Fprintf(&b, "/api/%s", r.Version)
	} else {
		fmt.Fprintf(&b, "/apis/%s/%s", r.Group, r.Version)
	}
	if namespace != "" {
		b.WriteString("/namespaces/")
		b.WriteString(namespace)
	}
	b.WriteByte('/')
	b.WriteString(r.Name)
	if name != "" {
		b.WriteByte('/')
		b.WriteString(name)
	}
	return b.String()
}

func splitAPIVersion(apiVersion string) (group, version string) {
	if cut := strings.LastIndexByte(apiVersion, '/'); cut >= 0 {
		return apiVersion[:cut], apiVersion[cut+1:]
	}
	return "", apiVersion
}

// isVirtual tells resources that only answer a POST and store nothing.
func isVirtual(plural string) bool {
	return strings.HasSuffix(plural, "reviews") || plural == "bindings"
}

// isReadOnly tells resources that no client can write.
func isReadOnly(plural string) bool { return plural == "componentstatuses" }

// subresources are the subresources that Kubernetes' metrics name after a slash.
func subresources() []string {
	return []string{
		"approval", "attach", "binding", "ephemeralcontainers", "eviction", "exec", "finalize", "log", "portforward",
		"proxy", "resize", "scale", "status", "token",
	}
}
