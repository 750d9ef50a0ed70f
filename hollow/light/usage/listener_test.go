package usage

import (
	"net"
	"testing"
)

func TestOwn(t *testing.T) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !own(n.IP) {
			t.Errorf("%s is not own", n.IP)
		}
	}
	if !own(net.IPv4(127, 0, 0, 9)) {
		t.Error("loopback is not own")
	}
	for _, other := range []string{"240.0.0.1", "2001:db8::1"} { // reserved ones, which no machine has
		if own(net.ParseIP(other)) {
			t.Errorf("%s is own", other)
		}
	}
}

// strangers accepts connections that seem to come from elsewhere, and one that does not.
type strangers struct {
	net.Listener
	from   []string
	closed int
}

type stranger struct {
	net.Conn
	of   *strangers
	from string
}

func (s stranger) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(s.from)} }
func (s stranger) Close() error         { s.of.closed++; return nil }

func (s *strangers) Accept() (net.Conn, error) {
	if len(s.from) == 0 {
		return nil, net.ErrClosed
	}
	conn := stranger{of: s, from: s.from[0]}
	s.from = s.from[1:]
	return conn, nil
}

func TestStrangersAreTurnedAway(t *testing.T) {
	s := &strangers{from: []string{"240.0.0.1", "240.0.0.2", "127.0.0.1", "240.0.0.3"}}
	conn, err := ownListener{s}.Accept()
	if err != nil || conn.(stranger).from != "127.0.0.1" || s.closed != 2 {
		t.Errorf("%v, %v, %d closed", conn, err, s.closed)
	}
	if _, err := (ownListener{s}).Accept(); err != net.ErrClosed || s.closed != 3 {
		t.Errorf("%v, %d closed", err, s.closed)
	}
}
