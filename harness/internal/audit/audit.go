// Package audit writes the policy of the audit log that a profile asks for.
package audit

import "fmt"

// policy records every request once, when it has been answered.
const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: %s
`

// Policy is the policy for the level that a profile names, nil for none.
func Policy(level string) ([]byte, error) {
	switch level {
	case "", "none":
		return nil, nil
	case "metadata":
		level = "Metadata"
	case "request":
		level = "Request"
	case "requestResponse":
		level = "RequestResponse"
	default:
		return nil, fmt.Errorf("controlPlane.apiServer.audit: unknown level %q", level)
	}
	return fmt.Appendf(nil, policy, level), nil
}
