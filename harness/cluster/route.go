package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Route is how the API server is reached where that takes more than its URL and its authority, as a kubeconfig may say.
type Route struct {
	// ServerName is the name that the server's certificate is checked for. Default: the URL's host.
	ServerName string
	// Insecure takes any certificate.
	Insecure bool
	// Proxy chooses the proxy of a request: http, https or socks5; nil, or nil from it, is none.
	Proxy func(*http.Request) (*url.URL, error)
}

// Routed is a Cluster that is reached by a Route.
type Routed interface {
	Cluster
	Route() Route
}

// ParseServer takes an API server's URL apart: https://HOST[:PORT][/PATH], with the port filled in and no slash at the end.
// Plain http is for this machine alone: tokens do not travel without TLS.
func ParseServer(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the URL of an API server: want https://HOST[:PORT][/PATH]", server)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, errors.New(server + " has no TLS and is not this machine")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), map[string]string{"https": "443", "http": "80"}[u.Scheme])
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
