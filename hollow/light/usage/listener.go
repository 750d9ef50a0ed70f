package usage

import "net"

// ownListener takes connections from this machine alone: the nodes say that they have the machine's own address, on which it has to listen,
// and a run opens nothing to others.
type ownListener struct{ net.Listener }

// Accept implements net.Listener. Connections from elsewhere are closed at once.
func (l ownListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if from, ok := conn.RemoteAddr().(*net.TCPAddr); ok && own(from.IP) {
			return conn, nil
		}
		conn.Close()
	}
}

// own says whether an address is one of this machine.
func own(ip net.IP) bool {
	if ip.IsLoopback() {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
			return true
		}
	}
	return false
}
