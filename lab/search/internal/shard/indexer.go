package shard

import (
	"math/rand/v2"
	"sync"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
)

// A refresh makes a segment in memory. How scorch's defaults go on, writing each one at once and merging all that are smaller than 2000
// documents with their neighbours each time, costs more than the indexing, so segments gather first.
const (
	gather   = 6000 // milliseconds at least until segments in memory become one file; a crash in between indexes them again from the store
	scatter  = 4000 // milliseconds by which copies differ in that, lest they all write and merge at the same moment
	smallest = 100  // documents: files with fewer are merged as if they had so many
)

// Indexer does the indexing of copies that live in one process, one batch of documents at a time and on one core: the others are for who
// asks for something meanwhile.
type Indexer struct {
	batch sync.Mutex // held while a batch becomes a segment
	queue *index.AnalysisQueue
}

// NewIndexer makes an indexer.
func NewIndexer() *Indexer { return &Indexer{queue: index.NewAnalysisQueue(1)} }

// Close ends the indexer. Its copies are closed before.
func (i *Indexer) Close() { i.queue.Close() }

// open opens an index, or makes it. It may lose its last moments: it then follows the store again from where it is.
func (i *Indexer) open(path string) (*scorch.Scorch, error) {
	made, err := scorch.NewScorch(scorch.Name, map[string]any{
		"path":                   path,
		"unsafe_batch":           true,
		"scorchPersisterOptions": map[string]any{"PersisterNapTimeMSec": gather + rand.IntN(scatter)},
		"scorchMergePlanOptions": map[string]any{"FloorSegmentSize": smallest},
	}, i.queue)
	if err != nil {
		return nil, err
	}
	s := made.(*scorch.Scorch)
	return s, s.Open()
}
