# Installs the edge agent as a Windows service; run again, it brings a newer version. The data folder is never touched.
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Package PACKAGE]     as administrator
# Afterwards: & "C:\Program Files\TillSync\edge-agent\Scripts\edge-agent.exe" enrol https://sync.example.com CODE
param([string]$Package = "tillsync", [string]$Python = "py -3")
$ErrorActionPreference = "Stop"
$name = "TillSyncEdge"
$home_ = Join-Path $env:ProgramFiles "TillSync\edge-agent"
$data = Join-Path $env:ProgramData "TillSync\edge-agent"

if (Get-Service $name -ErrorAction SilentlyContinue) { Stop-Service $name }
Invoke-Expression "$Python -c `"import sys; sys.exit(sys.version_info < (3, 11))`""
if ($LASTEXITCODE -ne 0) { throw "Python 3.11 or newer is needed." }
Invoke-Expression "$Python -m venv `"$home_`""
$venvPython = Join-Path $home_ "Scripts\python.exe"
& $venvPython -m pip install --quiet --disable-pip-version-check --upgrade "$Package[edge]"
if ($LASTEXITCODE -ne 0) { throw "The package could not be installed." }

# Only the service and administrators touch the sales; NT SERVICE\name is an account of the service's own.
New-Item -ItemType Directory -Force $data | Out-Null
if (-not (Get-Service $name -ErrorAction SilentlyContinue)) {
    New-Service -Name $name -DisplayName "TillSync edge agent" -StartupType Automatic `
        -Description "Keeps this store's sales and sends them to headquarters." `
        -BinaryPathName "`"$venvPython`" -m edge_agent.windows_main" | Out-Null
}
sc.exe config $name obj= "NT SERVICE\$name" | Out-Null
sc.exe sidtype $name unrestricted | Out-Null
icacls $data /inheritance:r /grant "NT SERVICE\${name}:(OI)(CI)M" "BUILTIN\Administrators:(OI)(CI)F" "NT AUTHORITY\SYSTEM:(OI)(CI)F" | Out-Null
# Never given up: started anew three seconds after any end that nobody asked for, a reported failure included.
sc.exe failure $name reset= 86400 actions= restart/3000/restart/3000/restart/3000 | Out-Null
sc.exe failureflag $name 1 | Out-Null

& (Join-Path $home_ "Scripts\edge-agent.exe") init | Out-Null
if (Test-Path (Join-Path $data "enrolment.json")) { Start-Service $name; Write-Host "Installed and started." }
else { Write-Host "Installed. Enrol the store (edge-agent enrol URL CODE), then: Start-Service $name" }
Write-Host "The shop's page is http://127.0.0.1:9013/"
