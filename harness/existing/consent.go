package existing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/harness/cluster"
	"windtunnel/profiles"
)

// Namespace is windtunnel's own on a cluster. Its owner makes it, with the consent in it.
const Namespace = profiles.Namespace

// ConsentName is the ConfigMap in Namespace by which a cluster's owner agrees to load.
const ConsentName = "windtunnel-consent"

// The keys of the consent.
const (
	keyLoad        = "load"
	keyUntil       = "until"
	keyMaxNodes    = "maxNodes"
	keyMaxRequests = "maxRequestsPerSecond"
)

// Consent is what a cluster's owner allows.
type Consent struct {
	// Load is whether load may be sent at all.
	Load bool
	// Until is when the consent ends by itself; the zero time is never.
	Until time.Time
	// MaxNodes is the most hollow nodes; 0 sets no limit.
	MaxNodes int
	// MaxRequestsPerSecond is the most requests that a plan may send in any second; 0 sets no limit.
	MaxRequestsPerSecond float64
}

// String is the consent in one line for people.
func (c Consent) String() string {
	if !c.Load {
		return "off: no load"
	}
	text := "on"
	if !c.Until.IsZero() {
		text += ", until " + c.Until.UTC().Format(time.RFC3339)
	}
	if c.MaxNodes > 0 {
		text += fmt.Sprintf(", at most %d hollow nodes", c.MaxNodes)
	}
	if c.MaxRequestsPerSecond > 0 {
		text += fmt.Sprintf(", at most %g requests a second", c.MaxRequestsPerSecond)
	}
	return text
}

// data is the content of the ConfigMap.
func (c Consent) data() map[string]string {
	data := map[string]string{keyLoad: map[bool]string{true: "on", false: "off"}[c.Load]}
	if !c.Until.IsZero() {
		data[keyUntil] = c.Until.UTC().Format(time.RFC3339)
	}
	if c.MaxNodes > 0 {
		data[keyMaxNodes] = strconv.Itoa(c.MaxNodes)
	}
	if c.MaxRequestsPerSecond > 0 {
		data[keyMaxRequests] = strconv.FormatFloat(c.MaxRequestsPerSecond, 'g', -1, 64)
	}
	return data
}

// parseConsent reads the content of the ConfigMap. What is not understood, such as a limit whose name is misspelt, is an error:
// whoever wrote it meant to limit something.
func parseConsent(data map[string]string) (Consent, error) {
	var c Consent
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(data)) {
		value := strings.TrimSpace(data[key])
		var err error
		switch key {
		case keyLoad:
			c.Load = value == "on"
			if value != "on" && value != "off" {
				err = errors.New("want on or off")
			}
		case keyUntil:
			if c.Until, err = time.Parse(time.RFC3339, value); err != nil {
				err = errors.New("want a time such as 2026-01-31T18:00:00Z")
			}
		case keyMaxNodes:
			if c.MaxNodes, err = strconv.Atoi(value); err != nil || c.MaxNodes < 1 {
				err = errors.New("want a whole number, 1 or more")
			}
		case keyMaxRequests:
			if c.MaxRequestsPerSecond, err = strconv.ParseFloat(value, 64); err != nil || !(c.MaxRequestsPerSecond > 0) {
				err = errors.New("want a number above 0")
			}
		default:
			err = fmt.Errorf("no such key: there are %s, %s, %s and %s", keyLoad, keyUntil, keyMaxNodes, keyMaxRequests)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("ConfigMap %s/%s, %s: %q: %w", Namespace, ConsentName, key, value, err))
		}
	}
	return c, errors.Join(errs...)
}

// allows tells what of a plan the consent does not allow at that time; nil when it allows all of it.
func (c Consent) allows(plan *profiles.Plan, now time.Time) error {
	if err := c.allowsNow(now); err != nil {
		return err
	}
	if n := plan.Profile.HollowNodes.Count; c.MaxNodes > 0 && n > c.MaxNodes {
		return fmt.Errorf("the plan has %d hollow nodes, and the cluster's owner allows %d (%s)", n, c.MaxNodes, keyMaxNodes)
	}
	if c.MaxRequestsPerSecond > 0 {
		return c.allowsRate(plan)
	}
	return nil
}

// allowsNow tells whether the consent allows anything at that time.
func (c Consent) allowsNow(now time.Time) error {
	switch {
	case !c.Load:
		return fmt.Errorf("the cluster's consent is off (ConfigMap %s/%s, load: \"off\")", Namespace, ConsentName)
	case !c.Until.IsZero() && !now.Before(c.Until):
		return fmt.Errorf("the cluster's consent has ended (until: %s)", c.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

// allowsRate checks the limit of requests. A plan that sends as fast as the system answers has no rate to compare.
func (c Consent) allowsRate(plan *profiles.Plan) error {
	if at, remedy := unpaced(plan); at != "" {
		return fmt.Errorf("the cluster's owner allows %g requests a second (%s), and %s sends as many as the system answers: %s", c.MaxRequestsPerSecond, keyMaxRequests, at, remedy)
	}
	if s := plan.Script; s != nil && float64(s.Use.MostRequests) > c.MaxRequestsPerSecond {
		return fmt.Errorf("the script plans %d requests in a second, and the cluster's owner allows %g (%s)", s.Use.MostRequests, c.MaxRequestsPerSecond, keyMaxRequests)
	}
	for _, phase := range plan.Outline() {
		// Planned instants are counted second by second: in less than a second, two at once would be a rate of thousands.
		length := phase.Duration.Seconds()
		bins := max(1, int(length))
		for _, rate := range plan.Curve(phase.Name, bins) {
			if n := rate * min(length/float64(bins), 1); n > c.MaxRequestsPerSecond+1e-9 {
				return fmt.Errorf("phase %s plans %.4g requests in a second, and the cluster's owner allows %g (%s)", phase.Name, n, c.MaxRequestsPerSecond, keyMaxRequests)
			}
		}
	}
	return nil
}

// unpaced names the first step that sends requests without planned instants, "" when there is none, and says what helps.
func unpaced(plan *profiles.Plan) (at, remedy string) {
	if plan.Script != nil && plan.Script.Use.Unpaced != "" {
		return plan.Script.Use.Unpaced, "give it a tuning set with a rate"
	}
	for _, phase := range plan.Phases {
		for _, track := range phase.Tracks {
			for i, step := range track.Steps {
				if step.Reconcile != nil && step.Reconcile.Arrivals == nil || step.Requests != nil && step.Requests.ClosedLoop != nil {
					return fmt.Sprintf("phase %s, track %s, step %d", phase.Name, track.Name, i), "give it arrivals"
				}
			}
		}
	}
	return "", ""
}

// errNoConsent says what an owner has to do.
var errNoConsent = fmt.Errorf("the cluster has not agreed to load: there is no ConfigMap %s/%s. Its owner agrees with: windtunnel consent on --kubeconfig FILE", Namespace, ConsentName)

// Consent reads what the owner allows. found is false where there is no consent, which is one that allows nothing.
func (t *Target) Consent(ctx context.Context) (c Consent, found bool, err error) {
	m, err := t.client.CoreV1().ConfigMaps(Namespace).Get(ctx, ConsentName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("read the cluster's consent: %w", err)
	}
	c, err = parseConsent(m.Data)
	return c, true, err
}

// SetConsent writes what the owner allows, and makes the namespace where it is missing. Neither has windtunnel's labels: they
// are the owner's, and stay when windtunnel's things are removed.
func (t *Target) SetConsent(ctx context.Context, c Consent) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}
	if _, err := t.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the namespace %s: %w", Namespace, err)
	}
	maps := t.client.CoreV1().ConfigMaps(Namespace)
	m, err := maps.Get(ctx, ConsentName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		m = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: ConsentName, Namespace: Namespace}, Data: c.data()}
		_, err = maps.Create(ctx, m, metav1.CreateOptions{})
	case err == nil:
		m.Data = c.data()
		_, err = maps.Update(ctx, m, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("write the cluster's consent: %w", err)
	}
	return nil
}

// agreed checks that the owner allows the plan. What it does not is a *cluster.RefusedError.
func (t *Target) agreed(ctx context.Context, plan *profiles.Plan) error {
	c, found, err := t.Consent(ctx)
	if err == nil && !found {
		err = errNoConsent
	}
	if err == nil {
		err = c.allows(plan, time.Now())
	}
	if err != nil {
		return &cluster.RefusedError{Err: err}
	}
	return nil
}
