package nodepods

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow/pod"
	manifests "windtunnel/manifests/hollow"
)

// selector finds the pods of hollow nodes.
const selector = manifests.LabelName + "=" + manifests.Name

// pods lists the pods of hollow nodes.
func (a *access) pods(ctx context.Context) ([]v1.Pod, error) {
	list, err := a.client.CoreV1().Pods(manifests.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list the pods of hollow nodes: %w", err)
	}
	return list.Items, nil
}

// ordinal is the number at the end of a pod's name.
func ordinal(pod string) int {
	n, err := strconv.Atoi(pod[strings.LastIndex(pod, "-")+1:])
	if err != nil {
		return -1
	}
	return n
}

// podName is the name of the pod of that number.
func podName(ordinal int) string { return manifests.Name + "-" + strconv.Itoa(ordinal) }

// componentName is what the pod of that number is called in a run, as the shards of an embedded run are.
func componentName(ordinal int) string { return "hollow-" + strconv.Itoa(ordinal) }

// visit sends a GET to what a pod serves, through the API server, which alone must be reachable from here. The caller closes the answer's
// body. An answer other than 200 is an error.
func (a *access) visit(ctx context.Context, name, path string, query url.Values) (*http.Response, error) {
	request := a.client.CoreV1().RESTClient().Get().Namespace(manifests.Namespace).Resource("pods").
		Name(name + ":" + strconv.Itoa(pod.Port)).SubResource("proxy").Suffix(path)
	for key := range query {
		request.Param(key, query.Get(key))
	}
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, request.URL().String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := a.http.Do(asked)
	if err != nil {
		return nil, fmt.Errorf("ask pod %s for %s: %w", name, path, err)
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return nil, &refusal{code: answer.StatusCode, text: fmt.Sprintf("ask pod %s for %s: %s: %s", name, path, answer.Status, strings.TrimSpace(string(text)))}
	}
	return answer, nil
}

// refusal is an answer other than 200.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string { return r.text }

// status asks a pod how far it is.
func (a *access) status(ctx context.Context, name string) (pod.Status, error) {
	var s pod.Status
	answer, err := a.visit(ctx, name, pod.PathStatus, nil)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("ask pod %s for its status: %w", name, err)
	}
	return s, nil
}
