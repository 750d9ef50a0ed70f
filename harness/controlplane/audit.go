package controlplane

import (
	"fmt"
	"os"
	"path/filepath"

	"windtunnel/harness/internal/audit"
)

// writeAuditPolicy writes the policy for the level that the profile asks for, if it does.
func (c *Cluster) writeAuditPolicy() error {
	policy, err := audit.Policy(c.opts.Spec.APIServer.Audit)
	if err != nil || policy == nil {
		return err
	}
	c.audit = filepath.Join(c.opts.LogDir, "audit.log")
	if err := os.WriteFile(c.memory("audit-policy.yaml"), policy, 0o600); err != nil {
		return fmt.Errorf("write audit policy: %w", err)
	}
	return nil
}
