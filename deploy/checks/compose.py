"""Prints every breach of the rules that docker-compose.yml gives itself. Takes the folder of the secrets."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).parents[2]
ONCE = {"migrate"}  # It ends when its work is done, so it has no health.

compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
dockerfile = (ROOT / "Dockerfile").read_text()
services = compose["services"]


def names(value):
    """The names in a list of names and of mappings with a source."""
    return {item["source"] if isinstance(item, dict) else item for item in value or ()}


def of_service(name, service):
    """What breaks a rule of every service."""
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.get("user", "")):
        yield "may be root"
    if service.get("read_only") is not True:
        yield "its root file system can be written"
    if service.get("cap_drop") != ["ALL"] or "cap_add" in service or service.get("privileged"):
        yield "has capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield "may gain privileges"
    if set(service["deploy"]["resources"]["limits"]) != {"cpus", "memory", "pids"}:
        yield "has not all limits"
    if set(service["logging"]["options"]) != {"max-size", "max-file"}:
        yield "has no limit to its log"
    if ("healthcheck" in service) == (name in ONCE):
        yield "has no health check, or one that no service waits for"
    if ("ports" in service) != (name == "nginx"):
        yield "publishes a port, or nginx does not"
    outside = [net for net in service["networks"] if not (compose["networks"][net] or {}).get("internal")]
    # Gateways deliver webhooks.
    if bool(outside) != (name in ("nginx", "gateway")):
        yield "reaches outside, or nginx or gateway does not"
    if not all("size=" in mount and "noexec" in mount for mount in service.get("tmpfs", ())):
        yield "has a tmpfs without a size or with programs"
    for other, wait in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
        if wait["condition"] != wanted:
            yield f"does not wait for {other} to be {wanted}"
    target = service.get("build", {}).get("target")
    if target and not re.search(rf"^FROM \S+ AS {target}\n(?:(?!FROM ).*\n)*USER (?!root)\w+$", dockerfile, re.M):
        yield f"the image {target} is not made, or is root's"
    if not target and not re.search(r":\d", service.get("image", "")):
        yield "its image has no version"


def of_files(kind, folder):
    """What is declared and not there, there and not declared, or declared and not used."""
    declared = {name: pathlib.Path(entry["file"]) for name, entry in compose[kind].items()}
    used = set().union(*(names(service.get(kind)) for service in services.values()))
    if used != set(declared):
        yield f"{kind}: declared and used differ: {sorted(used ^ set(declared))}"
    for name, file in declared.items():
        if not (folder / file.name).is_file():
            yield f"{kind}: {name} is not there"


breaches = [f"{name}: {breach}" for name, service in services.items() for breach in of_service(name, service)]
breaches += of_files("configs", ROOT / "deploy")
breaches += of_files("secrets", pathlib.Path(sys.argv[1]))
made = {file.name for file in pathlib.Path(sys.argv[1]).iterdir()}
breaches += [f"secrets: {name} is made for no service" for name in sorted(made - set(compose["secrets"]))]
print("\n".join(breaches), end="\n" if breaches else "")
sys.exit(bool(breaches))
