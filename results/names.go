package results

// ResourcePath is a resource with its group and subresource, as in endpointslices.discovery.k8s.io or pods/status.
func ResourcePath(group, resource, subresource string) string {
	if group != "" {
		resource += "." + group
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	return resource
}
