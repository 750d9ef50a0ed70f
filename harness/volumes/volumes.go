// Package volumes provides hollow PersistentVolumes: what a storage provider's external provisioner does at the API server, without the
// storage. Kubernetes' own controllers do the rest as everywhere: they ask for the volume, bind it, protect it and release it.
//
// A hollow volume is of the type hostPath with a path that nothing is at; hollow kubelets mount it without looking. What it cannot show:
// attaching to nodes, mounting, topology, and how long storage takes.
package volumes

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"windtunnel/harness/internal/quiet"
	"windtunnel/profiles"
)

const (
	// ProvisionerName is what a StorageClass names for volumes of this package.
	ProvisionerName       = "windtunnel.dev/hollow"
	annotationDefault     = "storageclass.kubernetes.io/is-default-class"
	annotationProvisioner = "volume.kubernetes.io/storage-provisioner" // on a claim: who is to provide
	annotationBy          = "pv.kubernetes.io/provisioned-by"          // on a volume: who has provided

	// workers is how many requests of the provisioner are under way. Its client's limit is that of the scheduler.
	workers = 10
	qps     = 50
	burst   = 100

	syncTimeout  = time.Minute
	leaveTimeout = 30 * time.Second
	leaveEvery   = 200 * time.Millisecond
)

// Provisioner provides volumes for claims, and takes those away whose claim is gone.
type Provisioner struct {
	client  kubernetes.Interface
	options Options
	claims  cache.Indexer
	volumes cache.Indexer
	queue   workqueue.TypedRateLimitingInterface[task]
	end     context.CancelFunc
	running sync.WaitGroup
}

// task is a claim that may lack a volume, or a volume that may be of no more use.
type task struct {
	volume bool
	key    string
}

// Options say how volumes are provided.
type Options struct {
	// Default makes the class the cluster's default. On a cluster with others' claims it must not be.
	Default bool
	// Labels are on the class and on every volume.
	Labels map[string]string
}

// Start makes the StorageClass profiles.HollowStorageClass and provides volumes until ctx ends, or Close. The identity of config needs to
// read claims and volumes and to make and delete classes and volumes.
func Start(ctx context.Context, config *rest.Config, o Options) (*Provisioner, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = qps, burst
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for volumes: %w", err)
	}
	if _, err := client.StorageV1().StorageClasses().Create(ctx, o.class(), metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("make the storage class: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	claims, volumes := factory.Core().V1().PersistentVolumeClaims().Informer(), factory.Core().V1().PersistentVolumes().Informer()
	ctx, end := context.WithCancel(ctx)
	p := &Provisioner{
		client: client, options: o, claims: claims.GetIndexer(), volumes: volumes.GetIndexer(), end: end,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[task]()),
	}
	err = p.listen(claims, volumes)
	factory.StartWithContext(quiet.Context(ctx))
	p.running.Go(func() { <-ctx.Done(); factory.Shutdown() })
	for range workers {
		p.running.Go(func() { p.work(ctx) })
	}
	context.AfterFunc(ctx, p.queue.ShutDown)
	synced, done := context.WithTimeout(ctx, syncTimeout)
	defer done()
	if err == nil && !cache.WaitForCacheSync(synced.Done(), claims.HasSynced, volumes.HasSynced) {
		err = fmt.Errorf("watch claims and volumes: no list of what there is within %v", syncTimeout)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends it. The class and the volumes that there are stay.
func (p *Provisioner) Close() {
	p.end()
	p.running.Wait()
}

// Leave waits until no volume of ours is left, while Kubernetes releases those whose claims have gone, and deletes the class: a cluster that
// stays is as it was. It comes before Close. The error says what is left.
func (p *Provisioner) Leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	err := p.client.StorageV1().StorageClasses().Delete(ctx, profiles.HollowStorageClass, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the storage class: %w", err)
	}
	for {
		left := 0
		for _, v := range p.volumes.List() {
			if v.(*corev1.PersistentVolume).Annotations[annotationBy] == ProvisionerName {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d hollow volumes are left", left)
		case <-time.After(leaveEvery):
		}
	}
}

func (o Options) class() *storagev1.StorageClass {
	reclaim, binding := corev1.PersistentVolumeReclaimDelete, storagev1.VolumeBindingImmediate
	c := &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: profiles.HollowStorageClass, Labels: o.Labels},
		Provisioner: ProvisionerName, ReclaimPolicy: &reclaim, VolumeBindingMode: &binding,
	}
	if o.Default {
		c.Annotations = map[string]string{annotationDefault: "true"}
	}
	return c
}

// listen puts what changes into the queue.
func (p *Provisioner) listen(claims, volumes cache.SharedIndexInformer) error {
	put := func(volume bool) cache.ResourceEventHandler {
		add := func(v any) {
			if key, err := cache.MetaNamespaceKeyFunc(v); err == nil {
				p.queue.Add(task{volume, key})
			}
		}
		return cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, now any) { add(now) }}
	}
	if _, err := claims.AddEventHandler(put(false)); err != nil {
		return fmt.Errorf("watch claims: %w", err)
	}
	if _, err := volumes.AddEventHandler(put(true)); err != nil {
		return fmt.Errorf("watch volumes: %w", err)
	}
	return nil
}

// work does what is in the queue; what fails comes again, later each time.
func (p *Provisioner) work(ctx context.Context) {
	for {
		t, over := p.queue.Get()
		if over {
			return
		}
		do := p.provide
		if t.volume {
			do = p.reclaim
		}
		if err := do(ctx, t.key); err != nil && ctx.Err() == nil {
			p.queue.AddRateLimited(t)
		} else {
			p.queue.Forget(t)
		}
		p.queue.Done(t)
	}
}

// provide makes the volume of a claim that asks for one.
func (p *Provisioner) provide(ctx context.Context, key string) error {
	v, there, err := p.claims.GetByKey(key)
	if err != nil || !there {
		return err
	}
	claim := v.(*corev1.PersistentVolumeClaim)
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Annotations[annotationProvisioner] != ProvisionerName {
		return nil
	}
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, p.options.volumeFor(claim), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// volumeFor is the volume that a claim asks for, named after the claim so that it is made once.
func (o Options) volumeFor(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	class := ""
	if claim.Spec.StorageClassName != nil {
		class = *claim.Spec.StorageClassName
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: o.Labels, Annotations: map[string]string{annotationBy: ProvisionerName}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              class,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/lib/windtunnel/hollow-volumes/" + name}},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
		},
	}
}

// reclaim deletes a volume of ours whose claim is gone.
func (p *Provisioner) reclaim(ctx context.Context, key string) error {
	v, there, err := p.volumes.GetByKey(key)
	if err != nil || !there {
		return err
	}
	volume := v.(*corev1.PersistentVolume)
	if volume.Status.Phase != corev1.VolumeReleased || volume.DeletionTimestamp != nil ||
		volume.Annotations[annotationBy] != ProvisionerName || volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	err = p.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
