class Synonyms:
    def widen(self, q):
        return q


def load(folder):
    return Synonyms()
