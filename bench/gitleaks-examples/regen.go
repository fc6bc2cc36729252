// Takes the place of gitleaks' file of this name (see bench/gitleaks-example.ts): the same secret for a pattern in every run.

package secrets

import (
	"hash/fnv"

	"github.com/lucasjones/reggen"
)

// NewSecret writes a text that the pattern matches.
func NewSecret(regex string) string {
	generator, err := reggen.NewGenerator(regex)
	if err != nil {
		panic(err)
	}
	hash := fnv.New64a()
	hash.Write([]byte(regex))
	generator.SetSeed(int64(hash.Sum64()))
	return generator.Generate(1)
}
