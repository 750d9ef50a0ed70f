package kind

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Task is what the process that owns a cluster is told. It holds no key.
type Task struct {
	// Name is the cluster's name, Engine that of the container engine.
	Name   string `json:"name"`
	Engine string `json:"engine"`
	// Config is the kind configuration of the cluster to make; "" uses the one of that name that is there.
	Config string `json:"config,omitempty"`
	// Keep leaves a cluster that was made.
	Keep bool `json:"keep,omitempty"`
	// Logs is the directory that takes the components' logs in the end.
	Logs string `json:"logs"`
	// State is the file that says how far it is.
	State string `json:"state"`
}

// ours tells whether the cluster goes with the process.
func (t Task) ours() bool { return t.Config != "" && !t.Keep }

// state is how far the process that owns a cluster is.
type state struct {
	// Stage is what is being done, for people.
	Stage string `json:"stage"`
	// Made says that the nodes' containers run and kubeadm is done with them.
	Made bool `json:"made,omitempty"`
	// Error says why the cluster cannot be made.
	Error string `json:"error,omitempty"`
}

// write writes the state so that a reader never sees half of it.
func (s state) write(file string) error { return writeJSON(file, s) }

func writeJSON(file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	return os.Rename(file+".new", file)
}

func readJSON(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	return nil
}

// How long the last things may take.
const (
	// Grace is how long the process may take to collect logs and to delete the cluster. The supervisor gives all of its children
	// 45 s together.
	Grace       = 40 * time.Second
	collectTime = 10 * time.Second
)
