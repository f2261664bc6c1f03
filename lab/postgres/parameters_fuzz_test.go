package postgres

import "testing"

func FuzzParseParameter(f *testing.F) {
	f.Add("max_connections\tpostmaster\tConnections\tINTEGER\t0\t1\t262143\tSets it.\t\n")
	f.Add("")
	f.Add("\t\t\t\t\t\t\t\t")
	f.Fuzz(func(t *testing.T, line string) {
		if p, ok := parseParameter(line); ok && p.Name == "" {
			t.Errorf("%q: a parameter without a name", line)
		}
	})
}
