package profiles

import (
	"strings"
	"testing"
)

func TestUnapplied(t *testing.T) {
	fsync := false
	cp := ControlPlane{Provider: ProviderKind, Etcd: Etcd{Fsync: &fsync}, Scheduler: Client{QPS: 100}}
	p := Profile{ControlPlane: cp}
	p.Default()
	if fields := p.ControlPlane.Unapplied(); !p.ControlPlane.Made() || len(fields) != 0 {
		t.Errorf("a cluster that is made takes all: %v", fields)
	}
	for name, change := range map[string]func(*ControlPlane){
		"existing": func(c *ControlPlane) { c.Provider = ProviderExisting },
		"reuse":    func(c *ControlPlane) { c.Kind.Reuse = "mine" },
	} {
		one := p.ControlPlane
		kind := *one.Kind
		one.Kind = &kind
		change(&one)
		if got := strings.Join(one.Unapplied(), " "); one.Made() || got != "controlPlane.etcd.fsync controlPlane.scheduler.qps" {
			t.Errorf("%s: %q", name, got)
		}
	}
	plain := Profile{ControlPlane: ControlPlane{Provider: ProviderExisting}}
	plain.Default()
	if fields := plain.ControlPlane.Unapplied(); len(fields) != 0 {
		t.Errorf("defaults are not asked for: %v", fields)
	}
}

// TestProvidersChangeByAFlagAlone: a profile with the group of one provider runs on another.
func TestProvidersChangeByAFlagAlone(t *testing.T) {
	text, ok := Builtin("smoke")
	if !ok {
		t.Fatal("no smoke")
	}
	sets := []string{"controlPlane.kind.workers=2", "controlPlane.existing.kubeconfig=/x", "controlPlane.existing.image=i"}
	for _, provider := range []string{ProviderEmbedded, ProviderKind, ProviderExisting} {
		if _, err := Load("smoke", text, append(sets, "controlPlane.provider="+provider)); err != nil {
			t.Errorf("%s: %v", provider, err)
		}
	}
}
