package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const version = "2026.10.0"
const graceMax = 3 * time.Minute

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

type Config struct {
	Tunnel  string `yaml:"tunnel"`
	Ingress []Rule `yaml:"ingress"`
}

type Settings struct {
	config, metrics, edge, token, credentials string
	grace                                     time.Duration
}

// Identity is what a connector registers with; rules are empty where they are kept at the edge.
type Identity struct {
	Account, Tunnel, Secret string
}

func readConfig(path string) (Config, error) {
	var config Config
	text, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	return config, yaml.Unmarshal(text, &config)
}

// parse reads `tunnel [flags] run [flags] [TUNNEL]` and gives the command and what follows it.
func parse(arguments []string) (*Settings, []string, error) {
	settings := &Settings{}
	flags := flag.NewFlagSet("cloudflared tunnel", flag.ContinueOnError)
	flags.StringVar(&settings.config, "config", "", "")
	flags.StringVar(&settings.metrics, "metrics", "127.0.0.1:0", "")
	flags.StringVar(&settings.edge, "edge", os.Getenv("TUNNEL_EDGE"), "")
	flags.DurationVar(&settings.grace, "grace-period", 30*time.Second, "")
	flags.String("loglevel", "info", "")
	flags.Bool("no-autoupdate", false, "")
	if err := flags.Parse(arguments); err != nil {
		return nil, nil, err
	}
	rest := flags.Args()
	if len(rest) == 0 || rest[0] != "run" {
		return settings, rest, nil
	}
	run := flag.NewFlagSet("cloudflared tunnel run", flag.ContinueOnError)
	run.StringVar(&settings.token, "token-file", "", "")
	run.StringVar(&settings.credentials, "credentials-file", "", "")
	if err := run.Parse(rest[1:]); err != nil {
		return nil, nil, err
	}
	if settings.grace > graceMax {
		return nil, nil, fmt.Errorf("grace-period must be equal or less than %v", graceMax)
	}
	return settings, append(rest[:1], run.Args()...), nil
}

func identify(settings *Settings, config Config, names []string) (Identity, error) {
	if settings.token != "" {
		return readToken(settings.token)
	}
	tunnel := config.Tunnel
	if len(names) > 0 {
		tunnel = names[0]
	}
	if tunnel == "" {
		return Identity{}, errors.New("\"cloudflared tunnel run\" requires the ID or name of the tunnel to run as the last command line argument or in the configuration file.")
	}
	return readCredentials(settings.credentials, tunnel)
}

func readToken(path string) (Identity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Identity{}, fmt.Errorf("Failed to read token file: %w", err)
	}
	var token struct{ A, T, S string }
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || json.Unmarshal(decoded, &token) != nil || !uuid.MatchString(token.T) || token.A == "" {
		return Identity{}, errors.New("Provided Tunnel token is not valid.")
	}
	return Identity{token.A, token.T, token.S}, nil
}

func readCredentials(path, tunnel string) (Identity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Identity{}, fmt.Errorf("Tunnel credentials file '%s' doesn't exist or is not a file", path)
	}
	var found struct{ AccountTag, TunnelID, TunnelSecret string }
	if err := json.Unmarshal(text, &found); err != nil {
		return Identity{}, fmt.Errorf("Invalid JSON when parsing tunnel credentials file: %w", err)
	}
	if found.TunnelID != tunnel {
		return Identity{}, fmt.Errorf("the credentials are those of tunnel %s, not of %s", found.TunnelID, tunnel)
	}
	return Identity{found.AccountTag, found.TunnelID, found.TunnelSecret}, nil
}
