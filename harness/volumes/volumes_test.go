package volumes

import (
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/cluster"
	"windtunnel/harness/harnesstest"
	"windtunnel/harness/internal/live"
)

var suite harnesstest.Suite

func TestMain(m *testing.M) { os.Exit(suite.Run(m, os.Stdin, os.Stdout, os.Stderr)) }

// TestProvisioner: with the real controllers, a claim of the default class is bound to a volume as large as it asked for, a claim of another
// class stays, and the volume goes when the claim does.
func TestProvisioner(t *testing.T) {
	use := live.Use(t, suite.Shared(t))
	client, err := kubernetes.NewForConfig(use.Observer())
	if err != nil {
		t.Fatal(err)
	}
	config, err := use.RESTConfig("windtunnel:user-7", cluster.UsersGroup)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(t.Context(), config, Options{Default: true, Labels: map[string]string{"windtunnel/run": "r"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx := t.Context()
	claims, volumes := client.CoreV1().PersistentVolumeClaims("default"), client.CoreV1().PersistentVolumes()
	other := "other"
	for name, class := range map[string]*string{"mine": nil, "theirs": &other} {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: class,
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("100Mi")}},
		}}
		if _, err := claims.Create(ctx, claim, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the claim is bound", func() bool {
		claim, err := claims.Get(ctx, "mine", metav1.GetOptions{})
		return err == nil && claim.Status.Phase == corev1.ClaimBound && claim.Status.Capacity.Storage().String() == "100Mi"
	})
	all, err := volumes.List(ctx, metav1.ListOptions{})
	if err != nil || len(all.Items) != 1 {
		t.Fatalf("%d volumes, error %v; want that of one claim", len(all.Items), err)
	}
	if theirs, err := claims.Get(ctx, "theirs", metav1.GetOptions{}); err != nil || theirs.Status.Phase != corev1.ClaimPending {
		t.Errorf("the claim of another class is %s, error %v", theirs.Status.Phase, err)
	}
	for _, name := range []string{"mine", "theirs"} {
		if err := claims.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the volume is gone", func() bool {
		all, err := volumes.List(ctx, metav1.ListOptions{})
		return err == nil && len(all.Items) == 0
	})
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}
