# Adds to the profile smoke a ValidatingAdmissionPolicy that lets every write of a ConfigMap pass. Its expression is true; an API server
# is slowed by another one that takes long to be found true:
#   --set 'objects.slow.manifest.spec.validations[0].expression="…"'
/^objects:/ {
	print
	print "  slow:"
	print "    manifest:"
	print "      apiVersion: admissionregistration.k8s.io/v1"
	print "      kind: ValidatingAdmissionPolicy"
	print "      spec:"
	print "        matchConstraints:"
	print "          resourceRules:"
	print "            - {apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [configmaps]}"
	print "        validations:"
	print "          - expression: \"true\""
	print "  slow-binding:"
	print "    manifest:"
	print "      apiVersion: admissionregistration.k8s.io/v1"
	print "      kind: ValidatingAdmissionPolicyBinding"
	print "      spec:"
	print "        policyName: slow-0"
	print "        validationActions: [Deny]"
	next
}
/reconcile: \{object: idle-pod/ {
	print
	print "          - reconcile: {object: slow, count: 1}"
	print "          - reconcile: {object: slow-binding, count: 1}"
	print "          - pause: 2s # until the API server has seen both"
	next
}
{ print }
