// Package ports finds ports of 127.0.0.1 that are free.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
)

// lowestPort is where free ports are looked for from.
const lowestPort = 12000

// Free finds a free port on 127.0.0.1, below the range from which the kernel takes the ports of outgoing
// connections. A port of that range would be unsafe for a server that is killed and started again: a client that
// keeps dialling it can be given that very port for its own end, connect to itself and hold it.
func Free() (int, error) {
	low := ephemeralStart()
	for range 200 {
		if low-lowestPort < 1000 {
			break // a machine that is set up in an unusual way
		}
		port := lowestPort + rand.IntN(low-lowestPort)
		if err := Probe(port); err == nil {
			return port, nil
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Probe tells whether the port can be listened on.
func Probe(port int) error {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// ephemeralStart is the first port of outgoing connections, by default of Linux 32768.
func ephemeralStart() int {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		if fields := strings.Fields(string(b)); len(fields) == 2 {
			if low, err := strconv.Atoi(fields[0]); err == nil {
				return low
			}
		}
	}
	return 32768
}
