package existing

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/cluster"
	"windtunnel/harness/controlplane"
	"windtunnel/harness/harnesstest"
)

func join(t *testing.T, target *Target, run string) (*Cluster, error) {
	t.Helper()
	return Join(t.Context(), target, Options{Plan: paced(t, "arrivals: {rate: 40}"), Run: run, Load: true})
}

// TestJoin: who everybody is on the cluster, what they may do, which way they go; and nothing is left of it.
func TestJoin(t *testing.T) {
	target := openShared(t)
	if err := target.SetConsent(t.Context(), Consent{}); err != nil {
		t.Fatal(err)
	}
	var refused *cluster.RefusedError
	if _, err := join(t, target, "one"); !errors.As(err, &refused) {
		t.Fatalf("without consent: %v", err)
	}
	if things, err := target.Remove(t.Context(), Removal{DryRun: true}); err != nil || len(things) > 0 {
		t.Fatalf("made without consent: %v, %v", things, err)
	}
	if err := target.SetConsent(t.Context(), Consent{Load: true}); err != nil {
		t.Fatal(err)
	}
	c, err := join(t, target, "one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := join(t, target, "two"); !errors.As(err, &refused) || !strings.Contains(err.Error(), "run one") {
		t.Errorf("a second run: %v", err)
	}
	levels := map[string]string{}
	for name, one := range map[string]*account{"user": c.users[3], "observer": c.observer, "bystander": c.others} {
		levels[name] = levelOf(t, target, one)
	}
	if levels["user"] != Level || levels["observer"] != "exempt" || levels["bystander"] != "workload-low" || len(c.users) != 4 {
		t.Errorf("priority levels %v of %d users", levels, len(c.users))
	}
	for _, test := range []struct {
		who            *account
		verb, resource string
		may            bool
	}{{c.users[0], "update", "namespaces", true}, {c.users[0], "list", "pods", false}, {c.users[0], "delete", "nodes", false}, {c.users[0], "get", "secrets", false},
		{c.observer, "watch", "pods", true}, {c.observer, "delete", "pods", false}, {c.observer, "get", "secrets", false}, {c.others, "list", "pods", false}} {
		if got := may(t, target, test.who, test.verb, test.resource); got != test.may {
			t.Errorf("%s may %s %s: %v", test.who.name, test.verb, test.resource, got)
		}
	}
	before := c.users[0].bearer()
	if err := c.accounts.renewDue(t.Context(), time.Now()); err != nil || c.users[0].bearer() != before {
		t.Errorf("a new token was renewed, or %v", err)
	}
	time.Sleep(time.Second) // tokens of one second are the same
	if err := c.accounts.renewDue(t.Context(), time.Now().Add(c.accounts.life-time.Minute)); err != nil || c.users[0].bearer() == before {
		t.Errorf("an old token was not renewed, or %v", err)
	}
	if got := levelOf(t, target, c.users[0]); got != Level {
		t.Errorf("with a renewed token a user has the level %s", got)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if things, err := target.Remove(t.Context(), Removal{DryRun: true}); err != nil || len(things) > 0 {
		t.Errorf("left: %v, %v", things, err)
	}
}

// levelOf is the priority level that the API server gives an account's requests.
func levelOf(t *testing.T, target *Target, a *account) string {
	t.Helper()
	probe := &levelProbe{}
	config := a.config(target)
	config.Wrap(probe.wrap)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIdle(client)
	_, _ = client.CoreV1().ConfigMaps(Namespace).Get(t.Context(), ConsentName, metav1.GetOptions{})
	level := ""
	all, err := target.client.FlowcontrolV1().PriorityLevelConfigurations().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all.Items {
		if string(l.UID) == probe.uid {
			level = l.Name
		}
	}
	return level
}

func may(t *testing.T, target *Target, a *account, verb, resource string) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: a.user(),
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + Namespace, "system:authenticated"},
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: resource}}}
	done, err := target.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return done.Status.Allowed
}

// TestJoinUndone: what stands in the way is named, and what was made before it is removed.
func TestJoinUndone(t *testing.T) {
	target := openShared(t)
	if err := target.SetConsent(t.Context(), Consent{Load: true}); err != nil {
		t.Fatal(err)
	}
	schemas := target.client.FlowcontrolV1().FlowSchemas()
	other := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: prefix + "users"}, Spec: flowcontrolv1.FlowSchemaSpec{
		PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "exempt"}, MatchingPrecedence: 9999}}
	if _, err := schemas.Create(t.Context(), other, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	defer schemas.Delete(context.Background(), other.Name, metav1.DeleteOptions{})
	if _, err := join(t, target, "one"); err == nil || !strings.Contains(err.Error(), other.Name) {
		t.Errorf("joined: %v", err)
	}
	if things, err := target.Remove(t.Context(), Removal{DryRun: true}); err != nil || len(things) > 0 {
		t.Errorf("left: %v, %v", things, err)
	}
}

// TestGuard: every way in which an owner can take the consent back, and an API server that answers no more.
func TestGuard(t *testing.T) {
	suite.Kube(t)
	own, err := controlplane.Boot(t.Context(), harnesstest.Supervisor(t), controlplane.Options{KubeBinary: suite.Kube(t), LogDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	data, err := own.Kubeconfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeFile(file, data); err != nil {
		t.Fatal(err)
	}
	target, err := Open(file, "")
	if err != nil {
		t.Fatal(err)
	}
	set := func(c Consent) func() error {
		return func() error { return target.SetConsent(context.Background(), c) }
	}
	if err := set(Consent{Load: true})(); err != nil {
		t.Fatal(err)
	}
	c, err := join(t, target, "one")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		do   func() error
		says string
		long bool // it takes BlindTime
	}{
		{name: "off", do: set(Consent{}), says: "is off"},
		{name: "a lower limit", do: set(Consent{Load: true, MaxNodes: 1}), says: "maxNodes"},
		{name: "nonsense", do: func() error {
			_, err := target.client.CoreV1().ConfigMaps(Namespace).Patch(t.Context(), ConsentName, "application/merge-patch+json", []byte(`{"data":{"load":"perhaps"}}`), metav1.PatchOptions{})
			return err
		}, says: "perhaps"},
		{name: "an end", do: set(Consent{Load: true, Until: time.Now().Add(2 * time.Second)}), says: "has ended"},
		{name: "deleted", do: func() error {
			return target.client.CoreV1().ConfigMaps(Namespace).Delete(t.Context(), ConsentName, metav1.DeleteOptions{})
		}, says: "is gone"},
		{name: "nobody answers", do: func() error { return own.Kill(t.Context(), "kube-apiserver") }, says: "not seen", long: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := set(Consent{Load: true})(); err != nil {
				t.Fatal(err)
			}
			why := make(chan error, 1)
			go func() { why <- c.Guard(t.Context()) }()
			select {
			case err := <-why:
				t.Fatalf("with consent, the load was to stop: %v", err)
			case <-time.After(time.Second):
			}
			begin := time.Now()
			if err := test.do(); err != nil {
				t.Fatal(err)
			}
			if err := <-why; err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the load was to stop because %v", err)
			}
			took := time.Since(begin)
			t.Logf("after %v", took.Round(time.Millisecond))
			if test.long && took < BlindTime-2*lookEvery { // it was last seen before
				t.Errorf("blind for %v, and the load was to stop already", took)
			}
		})
	}
}
