package cloudtrail

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"time"

	"storefront/lab/wire"
)

// record is an event as CloudTrail writes it: "CloudTrail record contents for management, data, and network activity events".
type record struct {
	EventVersion       string          `json:"eventVersion"`
	UserIdentity       userIdentity    `json:"userIdentity"`
	EventTime          string          `json:"eventTime"`
	EventSource        string          `json:"eventSource"`
	EventName          string          `json:"eventName"`
	AWSRegion          string          `json:"awsRegion"`
	SourceIPAddress    string          `json:"sourceIPAddress"`
	UserAgent          string          `json:"userAgent"`
	ErrorCode          string          `json:"errorCode,omitempty"`
	ErrorMessage       string          `json:"errorMessage,omitempty"`
	RequestParameters  json.RawMessage `json:"requestParameters"`
	ResponseElements   json.RawMessage `json:"responseElements"`
	RequestID          string          `json:"requestID"`
	EventID            string          `json:"eventID"`
	ReadOnly           bool            `json:"readOnly"`
	Resources          []listed        `json:"resources,omitempty"`
	EventType          string          `json:"eventType"`
	APIVersion         string          `json:"apiVersion,omitempty"`
	ManagementEvent    bool            `json:"managementEvent"`
	RecipientAccountID string          `json:"recipientAccountId"`
	EventCategory      string          `json:"eventCategory"`
	VPCEndpointID      string          `json:"vpcEndpointId,omitempty"`
	TLSDetails         *tlsDetails     `json:"tlsDetails,omitempty"`
}

type tlsDetails struct {
	Version string `json:"tlsVersion"`
	Cipher  string `json:"cipherSuite"`
	Host    string `json:"clientProvidedHostHeader"`
}

// eventVersion is the version of the format that the lab writes.
const eventVersion = "1.10"

// eventTimeForm is the form of times in events and digests, in UTC.
const eventTimeForm = "2006-01-02T15:04:05Z"

// entry is an event in the spool, with what trails and lookups choose by.
type entry struct {
	Time      time.Time
	Category  string
	Source    string // "ec2.amazonaws.com"
	Name      string
	ID        string
	User      string
	Caller    string // ARN
	AccessKey string
	ReadOnly  bool
	Resources []resource
	Record    json.RawMessage
}

// Record is the recorder of wire.Options. Management events are always recorded, for the event history; data events when a trail that logs selects them.
func (s *Service) Record(c wire.Call) {
	category := s.categorise(c)
	if category == "" {
		return
	}
	e, err := s.entry(c, category)
	if err == nil && e != nil {
		err = s.spool.append(e)
	}
	if err != nil {
		s.Log.Error("recording an API call", "service", c.Service.Name, "operation", c.Operation, "request_id", c.RequestID, "error", err)
	}
}

// categorise tells what kind of event a call is; "" is for data that no trail selects.
func (s *Service) categorise(c wire.Call) string {
	kind, isData := traffic(c.Service.Name, c.Operation)
	if c.Service.Name == "s3" {
		kind = objectType
		_, isData = s3Objects()[c.Operation]
		isData = isData || member(c.Input, "Key") != ""
	}
	switch {
	case !isData:
		return management
	case kind == "" || !s.wanted(kind):
		return ""
	}
	return data
}

// entry makes the event of a call, or nil for data that no trail selects: who called, and what an event says, cost more to find out than to choose by.
func (s *Service) entry(c wire.Call, category string) (*entry, error) {
	service := c.Service.Name
	e := &entry{Time: c.Time.UTC(), Category: category, Source: service + ".amazonaws.com", Name: eventName(service, c.Operation),
		Caller: c.Caller.ARN, AccessKey: c.Caller.AccessKeyID, ReadOnly: isReadOnly(c.Operation)}
	request, response := parametersOf(c, !e.ReadOnly || answers(c.Operation))
	e.Resources = withARNs(s.Region, find(service, request, response))
	if kind, _ := traffic(service, c.Operation); kind == "AWS::CloudWatch::Metric" {
		e.Resources = []resource{{Type: kind, ARN: s.Region.ARN("cloudwatch", "metric/*")}}
	} else if service == "s3" && category == data {
		e.Resources = append([]resource{object(member(c.Input, "Bucket"), member(c.Input, "Key"))}, e.Resources...)
	}
	if category == data && !s.selected(e) {
		return nil, nil
	}
	who := identify(c.Caller, s.roleARN)
	e.ID, e.User = newEventID(), who.lookupName()
	return e, s.describe(e, c, who, request, response)
}

// describe writes the record of an event.
func (s *Service) describe(e *entry, c wire.Call, who userIdentity, request, response map[string]any) (err error) {
	r := record{EventVersion: eventVersion, UserIdentity: who, EventTime: e.Time.Format(eventTimeForm), EventSource: e.Source, EventName: e.Name, AWSRegion: s.Region.Name,
		SourceIPAddress: c.Origin.Address, VPCEndpointID: c.Origin.Endpoint.ID, UserAgent: c.Origin.UserAgent, RequestID: c.RequestID, EventID: e.ID, ReadOnly: e.ReadOnly, EventType: "AwsApiCall", APIVersion: c.Service.APIVersion,
		ManagementEvent: e.Category == management, RecipientAccountID: s.Region.Account, EventCategory: e.Category, TLSDetails: describeTLS(c)}
	for _, x := range e.Resources {
		if x.ARN != "" {
			r.Resources = append(r.Resources, listed{ARN: x.ARN, AccountID: s.Region.Account, Type: x.Type})
		}
	}
	if c.Error != nil {
		r.ErrorCode, r.ErrorMessage = errorCode(c.Service.Name, c.Error.Code, c.Error.Status), c.Error.Message
	}
	if r.RequestParameters, err = encode("requestParameters", request); err != nil {
		return err
	}
	if r.ResponseElements, err = encode("responseElements", response); err != nil {
		return err
	}
	e.Record, err = json.Marshal(r)
	return err
}

func describeTLS(c wire.Call) *tlsDetails {
	if c.TLS == nil {
		return nil
	}
	version := map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}[c.TLS.Version]
	return &tlsDetails{Version: version, Cipher: tls.CipherSuiteName(c.TLS.CipherSuite), Host: c.Origin.Host}
}

// newEventID draws a UUID.
func newEventID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
