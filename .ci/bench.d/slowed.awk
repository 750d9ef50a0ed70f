# Makes of the profile smoke one whose API server is slow: a ValidatingAdmissionPolicy that allows everything, after some thousand steps
# of CEL, for every write of a ConfigMap. It is put in place after the pools are filled.
/^objects:/ {
	print
	print "  slow:"
	print "    manifest:"
	print "      apiVersion: admissionregistration.k8s.io/v1"
	print "      kind: ValidatingAdmissionPolicy"
	print "      spec:"
	print "        failurePolicy: Ignore"
	print "        matchConstraints:"
	print "          resourceRules:"
	print "            - {apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [configmaps]}"
	print "        validations:"
	print "          - expression: \"" cel(depth) "\""
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

# cel is true, found out in 10 to the power of depth steps.
function cel(depth) {
	if (depth == 0)
		return "true"
	return "[0,1,2,3,4,5,6,7,8,9].all(v" depth ", " cel(depth - 1) ")"
}
