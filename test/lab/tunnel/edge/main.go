// The other end of the stand-in of cloudflared: clients come to one port, connectors to another one. See ../README.md.
// Usage: edge CLIENTS CONNECTORS TUNNEL SECRET [ROUTES], with addresses, and routes as JSON
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"sync"

	"golang.org/x/net/http2"
)

type line struct {
	connector  string
	connection *http2.ClientConn
}

type Edge struct {
	tunnel, secret string
	routes         json.RawMessage
	mutex          sync.Mutex
	lines          []line
	next           int
}

func main() {
	edge := &Edge{tunnel: os.Args[3], secret: os.Args[4], routes: json.RawMessage("[]")}
	if len(os.Args) > 5 {
		edge.routes = json.RawMessage(os.Args[5])
	}
	connectors, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			connection, err := connectors.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go edge.hear(connection)
		}
	}()
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     edge,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", r.In.Host, r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Print(err)
			w.WriteHeader(530) // what Cloudflare answers while no connector is there
		},
	}
	clients, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"clients\":%q,\"connectors\":%q}\n", clients.Addr(), connectors.Addr())
	log.Fatal(http.Serve(clients, proxy))
}

type message struct{ Register, Unregister, Tunnel, Secret string }

type heard struct {
	net.Conn
	reader *bufio.Reader
}

func (h *heard) Read(into []byte) (int, error) { return h.reader.Read(into) }

func (e *Edge) hear(connection net.Conn) {
	reader := bufio.NewReader(connection)
	text, err := reader.ReadBytes('\n')
	var said message
	if err != nil || json.Unmarshal(text, &said) != nil {
		connection.Close()
		return
	}
	if said.Unregister != "" {
		e.forget(said.Unregister)
		fmt.Fprintln(connection, "{}")
		return
	}
	if said.Tunnel != e.tunnel || said.Secret != e.secret {
		fmt.Fprintln(connection, `{"error":"Unauthorized: Invalid tunnel secret"}`)
		connection.Close()
		return
	}
	fmt.Fprintf(connection, "{\"ingress\":%s}\n", e.routes)
	client, err := (&http2.Transport{AllowHTTP: true}).NewClientConn(&heard{connection, reader})
	if err != nil {
		log.Print(err)
		return
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.lines = append(e.lines, line{said.Register, client})
}

func (e *Edge) forget(connector string) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	kept := []line{}
	for _, each := range e.lines {
		if each.connector != connector {
			kept = append(kept, each)
		}
	}
	e.lines = kept
}

func (e *Edge) choose() *http2.ClientConn {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for range e.lines {
		e.next = (e.next + 1) % len(e.lines)
		if each := e.lines[e.next].connection; each.CanTakeNewRequest() {
			return each
		}
	}
	return nil
}

// RoundTrip sends a request through one of the connections.
func (e *Edge) RoundTrip(request *http.Request) (*http.Response, error) {
	connection := e.choose()
	if connection == nil {
		return nil, errors.New("no connector is there")
	}
	return connection.RoundTrip(request)
}
