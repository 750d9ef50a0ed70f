package existing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
)

// Level is the priority level that the load goes through.
const Level = "windtunnel"

// DefaultShares are the concurrency shares of Level. Kubernetes' own levels have 245 together, so that 40 are a seventh of the
// API server's seats.
const DefaultShares = 40

const (
	// borrowing is how much more than its own share Level may take of what other levels leave unused, in percent.
	borrowing = 10
	// lending is how much of its own share other levels may take while it is unused, in percent.
	lending = 50
	// The queues of Level: enough for a load of many users, each in few queues.
	queues, handSize, queueLength = 64, 6, 50
	// The precedences of our flow schemas: before those that Kubernetes has for all service accounts (9000) and for nodes (400, 500), after
	// those for its own leader election.
	observerPrecedence, usersPrecedence = 250, 260
)

// levels makes the priority level and the two flow schemas: the users' into it, and the observer's into Kubernetes' level exempt.
func (c *Cluster) levels(ctx context.Context, users []string) error {
	shares, lend, borrow := int32(c.options.Shares), int32(lending), int32(borrowing)
	level := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: c.meta("", Level), Spec: flowcontrolv1.PriorityLevelConfigurationSpec{
		Type: flowcontrolv1.PriorityLevelEnablementLimited,
		Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{
			NominalConcurrencyShares: &shares, LendablePercent: &lend, BorrowingLimitPercent: &borrow,
			LimitResponse: flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeQueue,
				Queuing: &flowcontrolv1.QueuingConfiguration{Queues: queues, HandSize: handSize, QueueLengthLimit: queueLength}},
		},
	}}
	if _, err := c.target.client.FlowcontrolV1().PriorityLevelConfigurations().Create(ctx, level, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make the priority level %s: %w", Level, err)
	}
	for _, schema := range []*flowcontrolv1.FlowSchema{
		c.schema(prefix+"observer", "exempt", observerPrecedence, observerAccount),
		c.schema(prefix+"users", Level, usersPrecedence, users...),
	} {
		made, err := c.target.client.FlowcontrolV1().FlowSchemas().Create(ctx, schema, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("make the flow schema %s: %w", schema.Name, err)
		}
		c.schemas[schema.Name] = string(made.UID)
	}
	return nil
}

// schema puts all requests of accounts into a level.
func (c *Cluster) schema(name, level string, precedence int32, accounts ...string) *flowcontrolv1.FlowSchema {
	all := []string{flowcontrolv1.ResourceAll}
	rule := flowcontrolv1.PolicyRulesWithSubjects{
		ResourceRules:    []flowcontrolv1.ResourcePolicyRule{{Verbs: all, APIGroups: all, Resources: all, ClusterScope: true, Namespaces: all}},
		NonResourceRules: []flowcontrolv1.NonResourcePolicyRule{{Verbs: all, NonResourceURLs: all}},
	}
	for _, name := range accounts {
		rule.Subjects = append(rule.Subjects, flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindServiceAccount,
			ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: Namespace, Name: name}})
	}
	return &flowcontrolv1.FlowSchema{ObjectMeta: c.meta("", name), Spec: flowcontrolv1.FlowSchemaSpec{
		PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: level},
		MatchingPrecedence:         precedence,
		DistinguisherMethod:        &flowcontrolv1.FlowDistinguisherMethod{Type: flowcontrolv1.FlowDistinguisherMethodByUserType},
		Rules:                      []flowcontrolv1.PolicyRulesWithSubjects{rule},
	}}
}

// role makes a ClusterRole, or a Role in a namespace, and binds it to accounts.
func (c *Cluster) role(ctx context.Context, namespace, name string, rules []rbacv1.PolicyRule, accounts ...string) error {
	var subjects []rbacv1.Subject
	for _, account := range accounts {
		subjects = append(subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: Namespace, Name: account})
	}
	client := c.target.client.RbacV1()
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name}
	var err error
	if namespace == "" {
		_, err = client.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: c.meta("", name), Rules: rules}, metav1.CreateOptions{})
	} else {
		ref.Kind = "Role"
		_, err = client.Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: c.meta(namespace, name), Rules: rules}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("make the role %s: %w", name, err)
	}
	if namespace == "" {
		_, err = client.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: c.meta("", name), RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	} else {
		_, err = client.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: c.meta(namespace, name), RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("bind the role %s: %w", name, err)
	}
	return nil
}

// effectTime bounds the wait until what was made is in force.
const effectTime = 20 * time.Second

// inForce waits until the API server takes an account for who it is and puts its requests where they belong. Something between
// here and there that puts another identity in the place of ours is found out by it.
func (c *Cluster) inForce(ctx context.Context, a *account, schema string) error {
	ctx, cancel := context.WithTimeout(ctx, effectTime)
	defer cancel()
	probe := &probed{}
	config := a.config(c.target)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { probe.next = next; return probe })
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", a.name, err)
	}
	defer closeIdle(client)
	for {
		me, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		switch {
		case err != nil:
			err = fmt.Errorf("ask the API server who %s is: %w", a.name, err)
		case me.Status.UserInfo.Username != a.user():
			return &cluster.RefusedError{Err: fmt.Errorf("the API server takes %s for %s: something on the way puts another identity in its place, so that nobody could tell the load from others",
				a.user(), me.Status.UserInfo.Username)}
		case probe.schema == "":
			err = errors.New("the API server says of no request which priority level it has: without priority and fairness nothing would keep the load from starving the cluster's own users")
		case probe.schema != c.schemas[schema]:
			err = fmt.Errorf("another flow schema than %s takes the requests of %s", schema, a.name)
		default:
			return nil
		}
		select {
		case <-ctx.Done():
			return &cluster.RefusedError{Err: err}
		case <-time.After(pollEvery):
		}
	}
}

// probed notes the flow schema of the last answer.
type probed struct {
	next   http.RoundTripper
	schema string
}

// RoundTrip implements http.RoundTripper.
func (p *probed) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := p.next.RoundTrip(r)
	if err == nil {
		p.schema = answer.Header.Get(flowcontrolv1.ResponseHeaderMatchedFlowSchemaUID)
	}
	return answer, err
}

// closeIdle closes the connections of a client that is used no more.
func closeIdle(client *kubernetes.Clientset) {
	if r, ok := client.CoreV1().RESTClient().(*rest.RESTClient); ok && r.Client != nil {
		r.Client.CloseIdleConnections()
	}
}
