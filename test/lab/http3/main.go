// A client of HTTP/3, and of nothing else: `http3 get URL` prints one answer, `http3 load URL` asks until its input ends and prints what came of it.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go/http3"
)

func newTransport() *http3.Transport {
	return &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}}
}

func get(transport *http3.Transport, url string) (map[string]any, error) {
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return map[string]any{"protocol": response.Proto, "status": response.StatusCode, "body": string(body)}, nil
}

func load(url string) map[string]any {
	var ended sync.WaitGroup
	var lock sync.Mutex
	stop := make(chan struct{})
	answers, failures := 0, map[string]int{}
	for range 8 {
		ended.Add(1)
		go func() {
			defer ended.Done()
			transport := newTransport()
			for {
				select {
				case <-stop:
					return
				default:
				}
				answer, err := get(transport, url)
				lock.Lock()
				if err != nil {
					failures[err.Error()]++
				} else if answer["status"] != 200 {
					failures[fmt.Sprint(answer["status"])]++
				} else {
					answers++
				}
				lock.Unlock()
				if err != nil {
					transport.Close()
					transport = newTransport()
				}
			}
		}()
	}
	io.Copy(io.Discard, os.Stdin)
	close(stop)
	ended.Wait()
	return map[string]any{"answers": answers, "failures": failures}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: http3 get|load URL")
		os.Exit(64)
	}
	result, err := map[string]any{}, error(nil)
	if os.Args[1] == "load" {
		result = load(os.Args[2])
	} else {
		result, err = get(newTransport(), os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
