package profiles

import "time"

// Duration is a time.Duration that YAML and JSON write as in 1m30s.
type Duration time.Duration
