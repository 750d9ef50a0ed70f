package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
)

// auditPolicy records every request once, when it has been answered.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: %s
`

// writeAuditPolicy writes the policy for the level that the profile asks for, if it does.
func (c *Cluster) writeAuditPolicy() error {
	level := ""
	switch c.opts.Spec.APIServer.Audit {
	case "", "none":
		return nil
	case "metadata":
		level = "Metadata"
	case "request":
		level = "Request"
	case "requestResponse":
		level = "RequestResponse"
	default:
		return fmt.Errorf("controlPlane.apiServer.audit: unknown level %q", c.opts.Spec.APIServer.Audit)
	}
	c.audit = filepath.Join(c.opts.LogDir, "audit.log")
	if err := os.WriteFile(c.memory("audit-policy.yaml"), fmt.Appendf(nil, auditPolicy, level), 0o600); err != nil {
		return fmt.Errorf("write audit policy: %w", err)
	}
	return nil
}
