package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Rule is a rule as it is written; where and path are what it was parsed to.
type Rule struct {
	Hostname string `yaml:"hostname" json:"hostname"`
	Path     string `yaml:"path" json:"path"`
	Service  string `yaml:"service" json:"service"`
	handler  http.Handler
	path     *regexp.Regexp
}

func parseRules(rules []Rule) ([]Rule, error) {
	if len(rules) == 0 {
		return nil, errors.New("The config file doesn't contain any ingress rules")
	}
	for index := range rules {
		rule := &rules[index]
		if err := parseRule(rule, index, len(rules)); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func parseRule(rule *Rule, index, count int) error {
	if _, _, err := net.SplitHostPort(rule.Hostname); err == nil {
		return errors.New("Hostname cannot contain a port")
	}
	if strings.LastIndex(rule.Hostname, "*") > 0 {
		return errors.New("Hostname patterns can have at most one wildcard character (\"*\") and it can only be used for subdomains, e.g. \"*.example.com\"")
	}
	isCatchAll := (rule.Hostname == "" || rule.Hostname == "*") && rule.Path == ""
	if index == count-1 && !isCatchAll {
		return errors.New("The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)")
	}
	if index < count-1 && isCatchAll {
		return fmt.Errorf("Rule #%d is matching the hostname '%s', but this will match every hostname, meaning the rules which follow it will never be triggered.", index+1, rule.Hostname)
	}
	var err error
	if rule.path, err = regexp.Compile(rule.Path); err != nil {
		return fmt.Errorf("Rule #%d has an invalid regex: %w", index+1, err)
	}
	return parseService(rule)
}

func parseService(rule *Rule) error {
	if status, isStatus := strings.CutPrefix(rule.Service, "http_status:"); isStatus {
		code, err := strconv.Atoi(status)
		if err != nil {
			return fmt.Errorf("invalid HTTP status: %w", err)
		}
		rule.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		return nil
	}
	where, err := url.Parse(rule.Service)
	if err != nil {
		return err
	}
	if where.Scheme == "" || where.Hostname() == "" {
		return fmt.Errorf("%s is an invalid address, please make sure it has a scheme and a hostname", rule.Service)
	}
	if where.Path != "" {
		return fmt.Errorf("%s is an invalid address, ingress rules don't support proxying to a different path on the origin service. The path will be the same as the eyeball request's path", rule.Service)
	}
	rule.handler = &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(request *httputil.ProxyRequest) {
			request.Out.URL.Scheme, request.Out.URL.Host = where.Scheme, where.Host
			request.Out.Host = request.In.Host
		},
	}
	return nil
}

func (rule Rule) matches(host, path string) bool {
	isHost := rule.Hostname == "" || rule.Hostname == "*" || rule.Hostname == host ||
		(strings.HasPrefix(rule.Hostname, "*.") && strings.HasSuffix(host, rule.Hostname[1:]))
	return isHost && (rule.Path == "" || rule.path.MatchString(path))
}

func serve(rules []Rule, w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, rule := range rules {
		if rule.matches(host, r.URL.Path) {
			rule.handler.ServeHTTP(w, r)
			return
		}
	}
}
