package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/proxy"
)

// route is how a connection to the server is made.
type route struct {
	server *url.URL
	tls    *tls.Config // nil without TLS
	proxy  func(*http.Request) (*url.URL, error)
}

// dial makes a connection that speaks HTTP/2.
func (r route) dial(ctx context.Context) (net.Conn, error) {
	raw, err := r.reach(ctx)
	if err != nil || r.tls == nil {
		return raw, err
	}
	secure := tls.Client(raw, r.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	if got := secure.ConnectionState().NegotiatedProtocol; got != http2.NextProtoTLS {
		secure.Close()
		return nil, fmt.Errorf("the server speaks %q, not HTTP/2", got)
	}
	return secure, nil
}

// reach makes the connection below TLS, through the proxy if there is one.
func (r route) reach(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{KeepAlive: -1}
	var via *url.URL
	if r.proxy != nil {
		var err error
		if via, err = r.proxy(&http.Request{URL: r.server}); err != nil {
			return nil, fmt.Errorf("find the proxy: %w", err)
		}
	}
	switch {
	case via == nil:
		return dialer.DialContext(ctx, "tcp", r.server.Host)
	case via.Scheme == "http" || via.Scheme == "https":
		return tunnel(ctx, dialer, via, r.server.Host)
	}
	socks, err := proxy.FromURL(via, dialer)
	if err != nil {
		return nil, fmt.Errorf("use the proxy %s: %w", via.Redacted(), err)
	}
	return socks.(proxy.ContextDialer).DialContext(ctx, "tcp", r.server.Host)
}

// tunnel asks an HTTP proxy for a connection to the address (RFC 9110, section 9.3.6).
func tunnel(ctx context.Context, dialer *net.Dialer, via *url.URL, address string) (_ net.Conn, err error) {
	port := via.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[via.Scheme]
	}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(via.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("reach the proxy: %w", err)
	}
	defer func() {
		if err != nil {
			raw.Close()
			err = fmt.Errorf("ask the proxy %s for a way to %s: %w", via.Redacted(), address, err)
		}
	}()
	if via.Scheme == "https" {
		secure := tls.Client(raw, &tls.Config{ServerName: via.Hostname(), MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		raw = secure
	}
	if until, ok := ctx.Deadline(); ok {
		raw.SetDeadline(until)
		defer raw.SetDeadline(time.Time{})
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if user := via.User; user != nil {
		password, _ := user.Password()
		request.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := request.Write(raw); err != nil {
		return nil, err
	}
	// The server says nothing before the client does, so that nothing of it can be in this buffer.
	answer, err := http.ReadResponse(bufio.NewReader(raw), request)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New(answer.Status)
	}
	return raw, nil
}
