module tunnel

go 1.26.0

require (
	golang.org/x/net v0.60.0
	gopkg.in/yaml.v3 v3.0.1
)

require golang.org/x/text v0.42.0 // indirect
