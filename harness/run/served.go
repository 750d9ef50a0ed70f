package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	v1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"windtunnel/profiles"
)

// served checks the plan's requests against what the API server says that it serves.
func (s *session) served(ctx context.Context) error {
	err := s.checkServed(ctx)
	var problems *profiles.Problems
	switch {
	case err == nil || errors.As(err, &problems):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return &EnvironmentError{err}
}

func (s *session) checkServed(ctx context.Context) error {
	config, err := s.cluster.Observer(ctx)
	if err != nil {
		return fmt.Errorf("make the observer's identity: %w", err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("make a client for discovery: %w", err)
	}
	defer client.CloseIdleConnections()
	known := map[string]map[string][]string{} // group and version -> resource or resource/subresource -> verbs
	return profiles.CheckServed(&s.plan.Profile, func(r profiles.Resource, subresource string) ([]string, error) {
		version := r.APIVersion()
		if known[version] == nil {
			if known[version], err = discover(ctx, client, s.cluster.Server(), r); err != nil {
				return nil, err
			}
		}
		name := r.Name
		if subresource != "" {
			name += "/" + subresource
		}
		return known[version][name], nil
	})
}

// discover asks for the verbs of all resources of a group and version; there are none when it is not served.
func discover(ctx context.Context, client *http.Client, server string, r profiles.Resource) (map[string][]string, error) {
	path := "/apis/" + r.APIVersion()
	if r.Group == "" {
		path = "/api/" + r.Version
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	verbs := map[string][]string{}
	if response.StatusCode == http.StatusNotFound {
		return verbs, nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	var list v1.APIResourceList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, one := range list.APIResources {
		verbs[one.Name] = one.Verbs
	}
	return verbs, nil
}
