package stages

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

// refused are the functions of sprig that KWOK's templates have and ours do not: they read the machine, or take their chance
// from elsewhere than the seed, so that one life would not be like the next.
func refused() []string {
	return []string{"env", "expandenv", "getHostByName", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
		"genSignedCert", "genSignedCertWithKey", "bcrypt", "htpasswd", "encryptAES"}
}

// changing are the functions of sprig that write into their arguments.
func changing() []string {
	return []string{"set", "unset", "merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"}
}

// functions are what templates can call, bound to a scope that changes from one object to the next.
func functions(s *Scope) template.FuncMap {
	all := template.FuncMap(sprig.TxtFuncMap())
	for _, name := range refused() {
		delete(all, name)
	}
	for _, more := range []template.FuncMap{writing(), asking(s), chance(s), {"eq": eq, "ne": ne}} {
		maps.Copy(all, more)
	}
	return all
}

// writing turns values into text.
func writing() template.FuncMap {
	return template.FuncMap{"Quote": quote, "YAML": toYAML, "NodeConditions": nodeConditions}
}

// asking gives what the object does not say.
func asking(s *Scope) template.FuncMap {
	podIPs := func(node any, hostNetwork any, uid, name, namespace any) []string {
		host, _ := hostNetwork.(bool)
		return s.podIPs(PodAddress{Node: str(node), HostNetwork: host, UID: str(uid), Name: str(name), Namespace: str(namespace)})
	}
	return template.FuncMap{
		"Now":         func() string { return s.Now.Format(time.RFC3339Nano) },
		"now":         func() time.Time { return s.Now },
		"ago":         func(t any) string { return ago(s.Now, t) },
		"StartTime":   func() string { return s.Started.Format(time.RFC3339Nano) },
		"Version":     func() string { return s.Version },
		"NodeIP":      func() string { return first(s.nodeIPs("")) },
		"NodeName":    func() string { return s.nodeName() },
		"NodePort":    func() int { return s.nodePort() },
		"NodeIPWith":  func(node any) string { return first(s.nodeIPs(str(node))) },
		"NodeIPsWith": func(node any) []string { return s.nodeIPs(str(node)) },
		"PodIP":       func() string { return first(s.podIPs(PodAddress{})) },
		"PodIPWith": func(node any, hostNetwork any, uid, name, namespace any) string {
			return first(podIPs(node, hostNetwork, uid, name, namespace))
		},
		"PodIPsWith": podIPs,
	}
}

// chance takes from the scope's source what sprig would take from the machine's.
func chance(s *Scope) template.FuncMap {
	const digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	from := func(alphabet string) func(int) string {
		return func(n int) string {
			b := make([]byte, min(max(n, 0), 1<<20))
			for i := range b {
				b[i] = alphabet[s.Random.IntN(len(alphabet))]
			}
			return string(b)
		}
	}
	var ascii strings.Builder
	for r := ' '; r < 0x7f; r++ {
		ascii.WriteRune(r)
	}
	return template.FuncMap{
		"randAlphaNum": from(letters + digits), "randAlpha": from(letters), "randNumeric": from(digits), "randAscii": from(ascii.String()),
		"randBytes": func(n int) string { return randomBytes(s.Random, n) },
		"randInt": func(least, most int) (int, error) {
			if most <= least {
				return 0, fmt.Errorf("randInt %d %d: there is no number between", least, most)
			}
			return least + s.Random.IntN(most-least), nil
		},
		"uuidv4": func() string { return uuid(s.Random) },
		"shuffle": func(text string) string {
			runes := []rune(text)
			s.Random.Shuffle(len(runes), func(i, j int) { runes[i], runes[j] = runes[j], runes[i] })
			return string(runes)
		},
	}
}

func str(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// quote writes a value as a text in double quotes: a text by itself, any other by its JSON.
func quote(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return strconv.Quote(fmt.Sprint(v))
	}
	if data[0] == '"' {
		return string(data)
	}
	return strconv.Quote(string(data))
}

// toYAML writes a value as YAML, each line two blanks a level to the right and beginning with a new line where there are levels.
func toYAML(v any, levels ...int) (string, error) {
	data, err := yaml.Marshal(v)
	if err != nil || len(levels) != 1 || levels[0] <= 0 {
		return string(data), err
	}
	return strings.ReplaceAll("\n"+string(data), "\n", "\n"+strings.Repeat("  ", levels[0])), nil
}

// nodeConditions are the conditions of a node that is well, as the kubelet and the cloud's route controller word them.
func nodeConditions() []any {
	one := func(kind, status, reason, message string) any {
		return map[string]any{"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": nil, "lastTransitionTime": nil}
	}
	return []any{
		one("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
		one("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		one("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		one("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		one("NetworkUnavailable", "False", "RouteCreated", "RouteController created a route"),
	}
}

func ago(now time.Time, t any) string {
	then := now
	switch t := t.(type) {
	case time.Time:
		then = t
	case int64:
		then = time.Unix(t, 0)
	case int:
		then = time.Unix(int64(t), 0)
	}
	return now.Sub(then).Round(time.Second).String()
}

func randomBytes(random *rand.Rand, n int) string {
	b := make([]byte, min(max(n, 0), 1<<20))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return base64.StdEncoding.EncodeToString(b)
}

// uuid is a random UUID of version 4 (RFC 9562).
func uuid(random *rand.Rand) string {
	var b [16]byte
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// eq tells whether a value equals one of the others. Text and numbers are compared by what they look like: the numbers of an
// object are texts to KWOK's templates and numbers to ours, and both ways of writing must work.
func eq(a any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, fmt.Errorf("eq needs two values")
	}
	for _, b := range others {
		if same, err := alike(a, b); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func ne(a, b any) (bool, error) {
	same, err := alike(a, b)
	return !same, err
}

func alike(a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == b, nil
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case isNumber(x) && isNumber(y):
		return number(x) == number(y), nil
	case isNumber(x) && y.Kind() == reflect.String, isNumber(y) && x.Kind() == reflect.String:
		return fmt.Sprint(a) == fmt.Sprint(b), nil
	case x.Kind() == reflect.String && y.Kind() == reflect.String:
		return x.String() == y.String(), nil
	case x.Kind() != y.Kind() || !x.Comparable() || !y.Comparable():
		return false, fmt.Errorf("%T and %T cannot be compared", a, b)
	}
	return a == b, nil
}

func isNumber(v reflect.Value) bool { return v.CanInt() || v.CanUint() || v.CanFloat() }

func number(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	}
	return v.Float()
}
