"""Presidio's recognisers of fixed forms (patterns, checksums, words around them), over spaCy's tokenizer: no model, so no names or places."""
from lines import serve

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

# The list of host suffixes that the package ships; it would fetch a newer one.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


class Tokens(NlpEngine):
    """Words in lower case where a model would give lemmas: what the recognisers look for around a match."""

    def __init__(self):
        self._nlp = spacy.blank("en")

    def load(self):
        pass

    def is_loaded(self):
        return True

    def process_text(self, text, language):
        words = self._nlp(text)
        return NlpArtifacts(
            entities=[],
            tokens=words,
            tokens_indices=[word.idx for word in words],
            lemmas=[word.lower_ for word in words],
            nlp_engine=self,
            language=language,
        )

    def process_batch(self, texts, language, batch_size=1, n_process=1, **_):
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word, language):
        return self._nlp.vocab[word].is_stop

    def is_punct(self, word, language):
        return self._nlp.vocab[word].is_punct

    def get_supported_entities(self):
        return []

    def get_supported_languages(self):
        return ["en"]


tokens = Tokens()
registry = RecognizerRegistry(supported_languages=["en"])
registry.load_predefined_recognizers(languages=["en"], nlp_engine=tokens)
analyzer = AnalyzerEngine(registry=registry, nlp_engine=tokens, supported_languages=["en"])


def judge(text):
    found = analyzer.analyze(text, "en")
    return [{"entity_type": one.entity_type, "start": one.start, "end": one.end, "score": one.score} for one in found]


serve(judge)
