package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func cpu(pid string) float64 {
	b, _ := os.ReadFile("/proc/" + pid + "/stat")
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	u, _ := strconv.ParseFloat(f[11], 64)
	s, _ := strconv.ParseFloat(f[12], 64)
	return (u + s) / 100
}

func main() {
	url, cert, key, api, etcd := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	c, err := tls.LoadX509KeyPair(cert, key)
	if err != nil { panic(err) }
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{c}}, ForceAttemptHTTP2: true}
	cl := &http.Client{Transport: tr}
	a0, e0 := cpu(api), cpu(etcd)
	var r0, r1 syscall.Rusage
	syscall.Getrusage(0, &r0)
	n := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	end := start.Add(10 * time.Second)
	for i := 0; i < 10; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			k := 0
			for time.Now().Before(end) {
				resp, err := cl.Get(url)
				if err != nil { panic(err) }
				if resp.StatusCode != 200 { panic(resp.Status) }
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				k++
			}
			mu.Lock(); n += k; mu.Unlock()
		}()
	}
	wg.Wait()
	d := time.Since(start).Seconds()
	syscall.Getrusage(0, &r1)
	own := float64(r1.Utime.Nano()-r0.Utime.Nano()+r1.Stime.Nano()-r0.Stime.Nano()) / 1e9
	f := 1000 / float64(n)
	fmt.Printf("n %d %.0f/s client %.3f apiserver %.3f etcd %.3f ms CPU a request\n", n, float64(n)/d, own*f, (cpu(api)-a0)*f, (cpu(etcd)-e0)*f)
}
