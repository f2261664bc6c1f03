package policy

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Output returns the JSON of the document that build makes once the values are known.
func Output(build func(values []string) Document, values ...pulumi.StringInput) pulumi.StringOutput {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v.ToStringOutput()
	}
	return pulumi.All(all...).ApplyT(func(known []any) (string, error) {
		plain := make([]string, len(known))
		for i, v := range known {
			plain[i] = v.(string)
		}
		return build(plain).JSON()
	}).(pulumi.StringOutput)
}
