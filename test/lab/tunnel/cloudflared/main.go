// The stand-in of cloudflared for the lab: see ../README.md for what it is and is not.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http2"
)

const connectionsMax = 4

type Connector struct {
	settings *Settings
	identity Identity
	local    []Rule
	id       string
	ready    atomic.Int32
	inHand   atomic.Int32
	isEnding atomic.Bool
	told     sync.Once
}

type answer struct {
	Error   string `json:"error"`
	Ingress []Rule `json:"ingress"`
}

func main() {
	arguments := os.Args[1:]
	if slices.Contains([]string{"version", "--version", "-v"}, append(arguments, "")[0]) {
		fmt.Printf("cloudflared version %s (stand-in of the lab)\n", version)
		return
	}
	if err := run(arguments); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 || arguments[0] != "tunnel" {
		return errors.New("the stand-in knows `cloudflared tunnel` only")
	}
	settings, command, err := parse(arguments[1:])
	if err != nil {
		return err
	}
	config := Config{}
	if settings.config != "" {
		if config, err = readConfig(settings.config); err != nil {
			return err
		}
	}
	if slices.Equal(command, []string{"ingress", "validate"}) {
		fmt.Println("Validating rules from", settings.config)
		if _, err := parseRules(config.Ingress); err != nil {
			return fmt.Errorf("Validation failed: %w", err)
		}
		fmt.Println("OK")
		return nil
	}
	if slices.Equal(command, []string{"ready"}) {
		return askReady(settings.metrics)
	}
	if len(command) == 0 || command[0] != "run" {
		return fmt.Errorf("the stand-in does not know %v", command)
	}
	identity, err := identify(settings, config, command[1:])
	if err != nil {
		return err
	}
	connector := &Connector{settings: settings, identity: identity, id: fmt.Sprint(os.Getpid(), "-", time.Now().UnixNano())}
	if settings.token == "" {
		if connector.local, err = parseRules(config.Ingress); err != nil {
			return err
		}
	}
	return connector.serve()
}

// askReady is `tunnel ready`: what the running connector says at its metrics address.
func askReady(metrics string) error {
	response, err := http.Get("http://" + metrics + "/ready")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("http://%s/ready endpoint returned status code %d", metrics, response.StatusCode)
	}
	return nil
}

func (c *Connector) serve() error {
	listener, err := net.Listen("tcp", c.settings.metrics)
	if err != nil {
		return err
	}
	go http.Serve(listener, http.HandlerFunc(c.metrics))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	for range connectionsMax {
		go c.keepConnected()
	}
	<-signals
	return c.end()
}

func (c *Connector) metrics(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ready" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	status, connections := http.StatusServiceUnavailable, c.ready.Load()
	if connections > 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"status": status, "readyConnections": connections, "connectorId": c.id})
}

func (c *Connector) keepConnected() {
	for !c.isEnding.Load() {
		if err := c.connect(); err != nil && !c.isEnding.Load() {
			fmt.Fprintln(os.Stderr, "ERR", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (c *Connector) say(message map[string]any) (net.Conn, *bufio.Reader, answer, error) {
	var said answer
	connection, err := net.DialTimeout("tcp", c.settings.edge, 5*time.Second)
	if err != nil {
		return nil, nil, said, err
	}
	json.NewEncoder(connection).Encode(message)
	reader := bufio.NewReader(connection)
	line, err := reader.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err == nil && said.Error != "" {
		err = errors.New(said.Error)
	}
	return connection, reader, said, err
}

func (c *Connector) connect() error {
	message := map[string]any{"register": c.id, "tunnel": c.identity.Tunnel, "secret": c.identity.Secret}
	connection, reader, said, err := c.say(message)
	if connection != nil {
		defer connection.Close()
	}
	if err != nil {
		return err
	}
	rules := c.local
	if rules == nil {
		if rules, err = parseRules(said.Ingress); err != nil {
			return err
		}
	}
	c.ready.Add(1)
	defer c.ready.Add(-1)
	c.told.Do(notifyReady)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.inHand.Add(1)
		defer c.inHand.Add(-1)
		serve(rules, w, r)
	})
	(&http2.Server{}).ServeConn(&read{connection, reader}, &http2.ServeConnOpts{Handler: handler})
	return nil
}

// read is a connection of which something was read already.
type read struct {
	net.Conn
	reader *bufio.Reader
}

func (r *read) Read(into []byte) (int, error) { return r.reader.Read(into) }

func (c *Connector) end() error {
	c.isEnding.Store(true)
	connection, _, _, err := c.say(map[string]any{"unregister": c.id})
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERR", err)
	} else {
		connection.Close()
	}
	deadline := time.Now().Add(c.settings.grace)
	for quiet := 0; quiet < 5 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if c.inHand.Load() == 0 {
			quiet++
		} else {
			quiet = 0
		}
	}
	return nil
}

func notifyReady() {
	if socket := os.Getenv("NOTIFY_SOCKET"); socket != "" {
		if connection, err := net.Dial("unixgram", socket); err == nil {
			connection.Write([]byte("READY=1"))
			connection.Close()
		}
	}
	fmt.Fprintln(os.Stderr, "INF Registered tunnel connection")
}
