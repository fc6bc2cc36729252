// Checks a proof in the form c2sp.org/tlog-proof with libraries that TapPass has not written:
// main VERIFIER_KEY PROOF_FILE <ENTRY
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check() error {
	verifier, err := note.NewVerifier(os.Args[1])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		return err
	}
	entry, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	head, checkpoint, _ := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("no proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		proof = append(proof, tlog.Hash(hash))
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	parsed, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return err
	}
	if parsed.Origin != verifier.Name() {
		return fmt.Errorf("origin %q", parsed.Origin)
	}
	return tlog.CheckRecord(proof, parsed.N, parsed.Hash, index, tlog.RecordHash(entry))
}

func main() {
	if err := check(); err != nil {
		fmt.Println("broken:", err)
		os.Exit(1)
	}
	fmt.Println("intact")
}
