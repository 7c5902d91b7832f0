"""What the demo says when the proof is made, and how a person may look around while it goes on."""

import sys
import webbrowser

from rich.console import Console
from rich.text import Text

from shared.protocol import API_PREFIX, store_path
from sync_server.demo.headquarters import Headquarters
from sync_server.demo.loopback import ask
from sync_server.demo.mapping_report import MappingReport
from sync_server.demo.proof import Proof
from sync_server.demo.screen_tables import books_lines, mapping_table, proof_table

_FAULTS_SHOWN = 20
_PERSON = "demo"


def print_proof(console: Console, proof: Proof | None, report: MappingReport | None, seconds: int) -> None:
    """The proof with its verdict; `report` says what became of the real lines."""
    if proof is None:
        return
    if report is not None:
        console.print("\nWhat became of the real lines", style="bold")
        console.print(mapping_table(report), highlight=False)
    console.print()
    console.print(proof_table(proof))
    for line in books_lines(proof):
        console.print(line)
    faults = proof.all_faults()
    for fault in faults[:_FAULTS_SHOWN]:
        console.print(Text.assemble(("✗ ", "bold red"), fault), soft_wrap=True)
    if len(faults) > _FAULTS_SHOWN:
        console.print(f"… and {len(faults) - _FAULTS_SHOWN} more", style="red")
    verdict = ("PROVEN", "bold green") if proof.ok else ("NOT PROVEN", "bold red")
    console.print(Text.assemble(verdict, f" after {seconds} s\n"))


async def print_how_to_look_around(console: Console, headquarters: Headquarters, store_id: str) -> None:
    """Addresses and commands to try, with a token of somebody who may look."""
    await headquarters.command("user", "add", _PERSON, "--role", "viewer")
    token = (await headquarters.command("token", "issue", _PERSON)).strip()
    lines = [
        f"The server answers on {headquarters.address} while the demo goes on. To look around:",
        f"  TOKEN={token}",
        f'  curl -H "Authorization: Bearer $TOKEN" {headquarters.address}{store_path(store_id)}',
        f'  curl -H "Authorization: Bearer $TOKEN" {headquarters.address}{API_PREFIX}/findings',
        f"  curl {headquarters.address}/health/ready",
        f"  curl {headquarters.address}/metrics",
        f"  curl {headquarters.address}/openapi.json",
    ]
    console.print("\n".join(lines) + "\n", highlight=False, soft_wrap=True)


def open_browser(port: int) -> None:
    """Shows the server's pages to whoever sits at the terminal, where there are pages and somebody sits."""
    front = ask(port, "/")
    if sys.stdout.isatty() and front is not None and front[0] == 200 and front[1] == "text/html":
        webbrowser.open(f"http://127.0.0.1:{port}/")
