package stages

import "windtunnel/profiles"

// The version and the kind of the documents, which are KWOK's.
const (
	APIVersion = "kwok.x-k8s.io/v1alpha1"
	Kind       = "Stage"
)

// document is a Stage as it is written. The fields are those of KWOK's type of the same version; the one that is not is
// delay.distribution.
type document struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       spec     `yaml:"spec"`
	Status     any      `yaml:"status"`
}

// metadata is what an object read back from an API server may carry; only the name means something here.
type metadata struct {
	Name                       string            `yaml:"name"`
	GenerateName               any               `yaml:"generateName"`
	Namespace                  any               `yaml:"namespace"`
	SelfLink                   any               `yaml:"selfLink"`
	UID                        any               `yaml:"uid"`
	ResourceVersion            any               `yaml:"resourceVersion"`
	Generation                 any               `yaml:"generation"`
	CreationTimestamp          any               `yaml:"creationTimestamp"`
	DeletionTimestamp          any               `yaml:"deletionTimestamp"`
	DeletionGracePeriodSeconds any               `yaml:"deletionGracePeriodSeconds"`
	Labels                     map[string]string `yaml:"labels"`
	Annotations                map[string]string `yaml:"annotations"`
	OwnerReferences            any               `yaml:"ownerReferences"`
	Finalizers                 any               `yaml:"finalizers"`
	ManagedFields              any               `yaml:"managedFields"`
}

type spec struct {
	ResourceRef        resourceRef     `yaml:"resourceRef"`
	Selector           *selectorSpec   `yaml:"selector"`
	Weight             int             `yaml:"weight"`
	WeightFrom         *expressionFrom `yaml:"weightFrom"`
	Delay              *delaySpec      `yaml:"delay"`
	Next               *nextSpec       `yaml:"next"`
	ImmediateNextStage *bool           `yaml:"immediateNextStage"`
	Steps              []stepSpec      `yaml:"steps"`
}

type resourceRef struct {
	APIGroup string `yaml:"apiGroup"`
	Kind     string `yaml:"kind"`
}

type selectorSpec struct {
	MatchLabels      map[string]string `yaml:"matchLabels"`
	MatchAnnotations map[string]string `yaml:"matchAnnotations"`
	MatchExpressions []matchExpression `yaml:"matchExpressions"`
}

// matchExpression is one requirement: the older form has its fields here, the newer one below jq.
type matchExpression struct {
	CEL      *expression  `yaml:"cel"`
	JQ       *requirement `yaml:"jq"`
	Key      string       `yaml:"key"`
	Operator string       `yaml:"operator"`
	Values   []string     `yaml:"values"`
}

type requirement struct {
	Key      string   `yaml:"key"`
	Operator string   `yaml:"operator"`
	Values   []string `yaml:"values"`
}

type expression struct {
	Expression string `yaml:"expression"`
}

// expressionFrom is a value of the object: the older form has the jq expression here, the newer one below jq.
type expressionFrom struct {
	CEL            *expression `yaml:"cel"`
	JQ             *expression `yaml:"jq"`
	ExpressionFrom string      `yaml:"expressionFrom"`
}

type delaySpec struct {
	DurationMilliseconds       *int64            `yaml:"durationMilliseconds"`
	DurationFrom               *expressionFrom   `yaml:"durationFrom"`
	JitterDurationMilliseconds *int64            `yaml:"jitterDurationMilliseconds"`
	JitterDurationFrom         *expressionFrom   `yaml:"jitterDurationFrom"`
	Distribution               *distributionSpec `yaml:"distribution"`
}

// distributionSpec is windtunnel's own: exactly one of its shapes, and bounds.
type distributionSpec struct {
	LogNormal   *logNormalSpec               `yaml:"logNormal"`
	Exponential *exponentialSpec             `yaml:"exponential"`
	Normal      *normalSpec                  `yaml:"normal"`
	Quantiles   map[string]profiles.Duration `yaml:"quantiles"`
	Min         *profiles.Duration           `yaml:"min"`
	Max         *profiles.Duration           `yaml:"max"`
}

type logNormalSpec struct {
	P50 profiles.Duration `yaml:"p50"`
	P99 profiles.Duration `yaml:"p99"`
}

type exponentialSpec struct {
	Mean profiles.Duration `yaml:"mean"`
}

type normalSpec struct {
	Mean              profiles.Duration `yaml:"mean"`
	StandardDeviation profiles.Duration `yaml:"standardDeviation"`
}

// nextSpec is the older form of steps.
type nextSpec struct {
	Event             *eventSpec      `yaml:"event"`
	Finalizers        *finalizersSpec `yaml:"finalizers"`
	Delete            bool            `yaml:"delete"`
	Patches           []patchSpec     `yaml:"patches"`
	StatusTemplate    string          `yaml:"statusTemplate"`
	StatusSubresource *string         `yaml:"statusSubresource"`
	StatusPatchAs     *impersonation  `yaml:"statusPatchAs"`
}

type stepSpec struct {
	Patch      *patchSpec      `yaml:"patch"`
	Event      *eventSpec      `yaml:"event"`
	Finalizers *finalizersSpec `yaml:"finalizers"`
	Delete     bool            `yaml:"delete"`
	Apply      *applySpec      `yaml:"apply"`
}

type patchSpec struct {
	Subresource   string         `yaml:"subresource"`
	Root          string         `yaml:"root"`
	Template      string         `yaml:"template"`
	Type          *string        `yaml:"type"`
	Impersonation *impersonation `yaml:"impersonation"`
}

type applySpec struct {
	Template      string         `yaml:"template"`
	Subresource   string         `yaml:"subresource"`
	Type          *string        `yaml:"type"`
	Impersonation *impersonation `yaml:"impersonation"`
}

type impersonation struct {
	Username string `yaml:"username"`
}

type finalizersSpec struct {
	Add    []finalizerItem `yaml:"add"`
	Remove []finalizerItem `yaml:"remove"`
	Empty  bool            `yaml:"empty"`
}

type finalizerItem struct {
	Value string `yaml:"value"`
}

type eventSpec struct {
	Type    string `yaml:"type"`
	Reason  string `yaml:"reason"`
	Message string `yaml:"message"`
}
