// A stand-in for spiffe-helper 0.11 in the lab, where the real program is not to be had: the same flags and configuration
// file (HCL), the same refusals, the same files; and the Workload API by go-spiffe, like the real one. It launches no
// command and sends no signal, because the toolkit asks for neither: such a configuration is refused.
package main

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/hcl/token"
	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

type healthChecks struct {
	ListenerEnabled    bool                   `hcl:"listener_enabled"`
	BindPort           int                    `hcl:"bind_port"`
	LivenessPath       string                 `hcl:"liveness_path"`
	ReadinessPath      string                 `hcl:"readiness_path"`
	UnusedKeyPositions map[string][]token.Pos `hcl:",unusedKeyPositions"`
}

type jwtConfig struct {
	Audience           string                 `hcl:"jwt_audience"`
	ExtraAudiences     []string               `hcl:"jwt_extra_audiences"`
	FileName           string                 `hcl:"jwt_svid_file_name"`
	UnusedKeyPositions map[string][]token.Pos `hcl:",unusedKeyPositions"`
}

type config struct {
	AddIntermediatesToBundle bool                   `hcl:"add_intermediates_to_bundle"`
	AgentAddress             string                 `hcl:"agent_address"`
	Cmd                      string                 `hcl:"cmd"`
	CmdArgs                  string                 `hcl:"cmd_args"`
	PIDFileName              string                 `hcl:"pid_file_name"`
	CertDir                  string                 `hcl:"cert_dir"`
	CertFileMode             int                    `hcl:"cert_file_mode"`
	KeyFileMode              int                    `hcl:"key_file_mode"`
	JWTBundleFileMode        int                    `hcl:"jwt_bundle_file_mode"`
	JWTSVIDFileMode          int                    `hcl:"jwt_svid_file_mode"`
	IncludeFederatedDomains  bool                   `hcl:"include_federated_domains"`
	RenewSignal              string                 `hcl:"renew_signal"`
	DaemonMode               *bool                  `hcl:"daemon_mode"`
	Hint                     string                 `hcl:"hint"`
	HealthCheck              healthChecks           `hcl:"health_checks"`
	SVIDFileName             string                 `hcl:"svid_file_name"`
	SVIDKeyFileName          string                 `hcl:"svid_key_file_name"`
	SVIDBundleFileName       string                 `hcl:"svid_bundle_file_name"`
	JWTSVIDs                 []jwtConfig            `hcl:"jwt_svids"`
	JWTBundleFileName        string                 `hcl:"jwt_bundle_file_name"`
	UnusedKeyPositions       map[string][]token.Pos `hcl:",unusedKeyPositions"`
}

func readConfig(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read := new(config)
	if err := hcl.Decode(read, string(text)); err != nil {
		return nil, err
	}
	return read, read.check()
}

func orDefault(mode *int, value int) error {
	if *mode < 0 {
		return errors.New("file modes must be positive")
	}
	if *mode == 0 {
		*mode = value
	}
	return nil
}

func (c *config) check() error {
	unknown := slices.Sorted(maps.Keys(c.UnusedKeyPositions))
	for _, each := range c.JWTSVIDs {
		unknown = append(unknown, slices.Sorted(maps.Keys(each.UnusedKeyPositions))...)
		if each.FileName == "" || each.Audience == "" {
			return errors.New("'jwt_audience' and 'jwt_svid_file_name' are required in 'jwt_svids'")
		}
	}
	unknown = append(unknown, slices.Sorted(maps.Keys(c.HealthCheck.UnusedKeyPositions))...)
	if len(unknown) > 0 {
		return fmt.Errorf("unknown key(s): %s", strings.Join(unknown, ","))
	}
	if c.PIDFileName != "" && c.RenewSignal == "" {
		return errors.New("must specify renew_signal when using pid_file_name")
	}
	names := []string{c.SVIDFileName, c.SVIDKeyFileName, c.SVIDBundleFileName}
	if empty := len(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name != "" })); empty != 0 && empty != 3 {
		return errors.New("all or none of 'svid_file_name', 'svid_key_file_name', 'svid_bundle_file_name' must be specified")
	}
	if c.SVIDFileName == "" && c.JWTBundleFileName == "" && len(c.JWTSVIDs) == 0 {
		return errors.New("nothing to write is specified")
	}
	if c.Cmd != "" || c.RenewSignal != "" || len(c.JWTSVIDs) > 0 || c.HealthCheck.ListenerEnabled || c.Hint != "" {
		return errors.New("the stand-in has no commands, signals, JWT-SVIDs, hints and health checks")
	}
	return errors.Join(orDefault(&c.CertFileMode, 0o644), orDefault(&c.KeyFileMode, 0o600), orDefault(&c.JWTBundleFileMode, 0o600))
}

// The real one writes in place, too: who watches has to bear a file that is half there, and a key that is newer than its SVID.
func (c *config) write(name string, content []byte, mode int) {
	if err := os.WriteFile(filepath.Join(c.CertDir, name), content, fs.FileMode(mode)); err != nil {
		log.Fatal(err)
	}
}

func encode(certificates []*x509.Certificate) []byte {
	var text []byte
	for _, each := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: each.Raw})...)
	}
	return text
}

func (c *config) OnX509ContextUpdate(update *workloadapi.X509Context) {
	svid := update.DefaultSVID()
	bundle, found := update.Bundles.Get(svid.ID.TrustDomain())
	if !found {
		log.Printf("no bundle of %s", svid.ID.TrustDomain())
		return
	}
	key, err := x509.MarshalPKCS8PrivateKey(svid.PrivateKey)
	if err != nil {
		log.Fatal(err)
	}
	certificates, authorities := svid.Certificates, bundle.X509Authorities()
	if c.AddIntermediatesToBundle {
		certificates, authorities = certificates[:1], append(authorities, certificates[1:]...)
	}
	c.write(c.SVIDFileName, encode(certificates), c.CertFileMode)
	c.write(c.SVIDKeyFileName, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), c.KeyFileMode)
	c.write(c.SVIDBundleFileName, encode(authorities), c.CertFileMode)
	log.Printf("X.509 SVID of %s until %s", svid.ID, svid.Certificates[0].NotAfter)
}

func (c *config) OnX509ContextWatchError(err error) { log.Printf("X.509: %v", err) }

// The bundles by trust domain, each a JWKS in base64.
func (c *config) OnJWTBundlesUpdate(set *jwtbundle.Set) {
	texts := map[string]string{}
	for _, bundle := range set.Bundles() {
		text, err := bundle.Marshal()
		if err != nil {
			log.Fatal(err)
		}
		texts[bundle.TrustDomain().Name()] = base64.StdEncoding.EncodeToString(text)
	}
	content, err := json.Marshal(texts)
	if err != nil {
		log.Fatal(err)
	}
	c.write(c.JWTBundleFileName, content, c.JWTBundleFileMode)
}

func (c *config) OnJWTBundlesWatchError(err error) { log.Printf("JWT: %v", err) }

func main() {
	path := flag.String("config", "helper.conf", "<configFile> Configuration file path")
	isDaemon := flag.Bool("daemon-mode", true, "Toggle running as a daemon to rotate X.509/JWT or just fetch and exit")
	flag.Parse()
	read, err := readConfig(*path)
	if err != nil {
		log.Fatalf("invalid configuration: %v", err)
	}
	if !*isDaemon || (read.DaemonMode != nil && !*read.DaemonMode) {
		log.Fatal("invalid configuration: the stand-in is a daemon only")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	client, err := workloadapi.New(ctx, workloadapi.WithAddr("unix://"+read.AgentAddress))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	var watches sync.WaitGroup
	watches.Go(func() { _ = client.WatchX509Context(ctx, read) })
	watches.Go(func() { _ = client.WatchJWTBundles(ctx, read) })
	watches.Wait()
}
