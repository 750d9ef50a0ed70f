package existing

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"windtunnel/profiles"
)

const (
	// BlindTime is how long the switch may be out of sight before the load stops all the same.
	BlindTime = 5 * time.Second
	// lookEvery is how often the switch is read; between, a watch tells of it.
	lookEvery = 500 * time.Millisecond
	// lookTime bounds one look. A look that takes longer than BlindTime would bring nothing.
	lookTime = 3 * time.Second
)

// guard looks at the switch all the time.
type guard struct {
	client *kubernetes.Clientset
	plan   *profiles.Plan
	seen   chan sight
}

// sight is what a look at the switch showed.
type sight struct {
	consent Consent
	gone    error // why there is no consent, or what is wrong with it
}

// watch returns why the load has to stop, as soon as it has to; nil when the context ended first.
func (g *guard) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go g.look(ctx)
	go g.follow(ctx, func() (watch.Interface, error) {
		return g.client.CoreV1().ConfigMaps(Namespace).Watch(ctx, only(ConsentName))
	})
	go g.follow(ctx, func() (watch.Interface, error) { return g.client.CoreV1().Namespaces().Watch(ctx, only(Namespace)) })

	tick := time.NewTicker(BlindTime / 50) // which also looks at the clock, for a consent that ends
	defer tick.Stop()
	last, latest := time.Now(), Consent{Load: true}
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-g.seen:
			if s.gone != nil {
				return s.gone
			}
			last = time.Now()
			if s.consent == latest {
				continue
			}
			latest = s.consent
			if err := latest.allows(g.plan, last); err != nil {
				return err
			}
		case now := <-tick.C:
			if blind := now.Sub(last); blind > BlindTime {
				return fmt.Errorf("the cluster's consent was not seen for %.1f s (ConfigMap %s/%s)", blind.Seconds(), Namespace, ConsentName)
			}
			if err := latest.allowsNow(now); err != nil {
				return err
			}
		}
	}
}

// only selects one object by its name, which is also all that the observer may watch.
func only(name string) metav1.ListOptions {
	return metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()}
}

func (g *guard) tell(ctx context.Context, s sight) {
	select {
	case g.seen <- s:
	case <-ctx.Done():
	}
}

// look reads the switch and its namespace again and again. What cannot be read is no sight.
func (g *guard) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if s, err := g.once(ctx); err == nil {
			g.tell(ctx, s)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (g *guard) once(ctx context.Context) (sight, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	namespace, err := g.client.CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
	if err == nil && namespace.DeletionTimestamp == nil {
		var m *corev1.ConfigMap
		if m, err = g.client.CoreV1().ConfigMaps(Namespace).Get(ctx, ConsentName, metav1.GetOptions{}); err == nil {
			return sightOf(m), nil
		}
	}
	if err == nil || apierrors.IsNotFound(err) {
		return sight{gone: errGone}, nil
	}
	return sight{}, err
}

var errGone = fmt.Errorf("the cluster's consent is gone (ConfigMap %s/%s)", Namespace, ConsentName)

func sightOf(m *corev1.ConfigMap) sight {
	consent, err := parseConsent(m.Data)
	if m.DeletionTimestamp != nil {
		err = errGone
	}
	return sight{consent, err}
}

// follow tells of every event of a watch, which it opens again and again.
func (g *guard) follow(ctx context.Context, open func() (watch.Interface, error)) {
	for ctx.Err() == nil {
		if stream, err := open(); err == nil {
			g.events(ctx, stream)
			stream.Stop()
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

func (g *guard) events(ctx context.Context, stream watch.Interface) {
	for event := range stream.ResultChan() {
		s, err := eventSight(event)
		if err != nil {
			return
		}
		if s != nil {
			g.tell(ctx, *s)
		}
	}
}

// eventSight is what an event shows of the switch; nil for one of the namespace that says nothing of it.
func eventSight(event watch.Event) (*sight, error) {
	switch object := event.Object.(type) {
	case *corev1.ConfigMap:
		s := sightOf(object)
		if event.Type == watch.Deleted {
			s.gone = errGone
		}
		return &s, nil
	case *corev1.Namespace:
		if event.Type == watch.Deleted || object.DeletionTimestamp != nil {
			return &sight{gone: errGone}, nil
		}
		return nil, nil
	}
	return nil, errors.New("the watch broke off")
}
