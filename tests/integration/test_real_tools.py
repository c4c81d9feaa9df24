"""Programs that people really put behind such a service, on real proteins."""

import os
import shutil

import pytest

from integration.live import EXAMPLES, Service

TOOLS = {"makeblastdb": "ncbi-blast+", "blastp": "ncbi-blast+", "mafft": "mafft", "hmmbuild": "hmmer"}
TOOLS["Rscript"] = "r-base-core"
PROTEINS = (EXAMPLES / "globins.fasta").read_text()


@pytest.fixture(scope="module")
def installed() -> None:
    """All tools are here: else, where they must be, this fails."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({TOOLS[tool] for tool in missing}))
        message = f"{', '.join(missing)} not installed: apt-get install --no-install-recommends {packages}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def records(fasta: str) -> dict[str, str]:
    """Sequences by the names in their headers."""
    parts = [record.partition("\n") for record in fasta.split(">")[1:]]
    return {header.split()[0]: sequence.replace("\n", "") for header, _, sequence in parts}


@pytest.mark.usefixtures("installed")
def test_homologues_are_found_aligned_and_drawn(service: Service) -> None:
    known = records(PROTEINS)
    alpha, beta = "sp|P69905|HBA_HUMAN", "sp|P68871|HBB_HUMAN"
    query = "".join(f">{name}\n{known[name]}\n" for name in (alpha, beta))
    done = service.run(
        "homologues", files={"query": ("haemoglobins.fasta", query), "database": ("globins.fasta", PROTEINS)}
    )
    assert done["status"] == "COMPLETE", done["message"]
    results = service.results(done)
    assert set(results) == {"blast_search_hits", "align_alignment", "profile_model", "identity_plot_plot"}

    hits = [line.split("\t") for line in results["blast_search_hits"].decode().splitlines()]
    identities = {(hit[0], hit[1]): float(hit[2]) for hit in hits}
    assert identities[alpha, alpha] == identities[beta, beta] == 100.0
    assert 40 < identities[alpha, beta] < 50, "the two chains share 43 % of their residues"

    aligned = records(results["align_alignment"].decode())
    assert {name: sequence.replace("-", "") for name, sequence in aligned.items()} == {
        name: known[name] for name in (alpha, beta)
    }
    assert len({len(sequence) for sequence in aligned.values()}) == 1
    assert results["profile_model"].startswith(b"HMMER3/f")
    assert b"NSEQ  2\n" in results["profile_model"]
    assert results["identity_plot_plot"].startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.usefixtures("installed")
def test_a_callers_threshold_reaches_the_tool(service: Service) -> None:
    known = records(PROTEINS)
    sent = {
        "query": f">ubiquitin\n{known['sp|P0CG48|UBIQ_HUMAN']}\n>myoglobin\n{known['sp|P02144|MYG_HUMAN']}\n",
        "database": PROTEINS,
    }
    strict = service.run("homologues", files=sent, data={"evalue": "1e-60"})
    loose = service.run("homologues", files=sent, data={"evalue": "10"})
    assert strict["status"] == loose["status"] == "COMPLETE", (strict["message"], loose["message"])
    counts = [len(service.results(each)["blast_search_hits"].splitlines()) for each in (strict, loose)]
    assert counts[0] < counts[1]
