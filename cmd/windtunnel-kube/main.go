package main

import (
	"os"

	etcdmain "go.etcd.io/etcd/server/v3/etcdmain"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	sched "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubemark "k8s.io/kubernetes/pkg/kubemark"
	pk "k8s.io/kubernetes/pkg/proxy/kubemark"
)

func main() {
	_ = kubemark.NewHollowKubelet
	_ = pk.NewHollowProxy
	switch os.Args[1] {
	case "etcd":
		etcdmain.Main(os.Args[1:])
	case "a":
		apiserver.NewAPIServerCommand().Execute()
	case "k":
		kcm.NewControllerManagerCommand().Execute()
	case "s":
		sched.NewSchedulerCommand(nil).Execute()
	}
}
