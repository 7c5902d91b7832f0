# Removes the service and the program; the data folder with the sales stays where it is.
$ErrorActionPreference = "Stop"
$name = "TillSyncEdge"
if (Get-Service $name -ErrorAction SilentlyContinue) {
    Stop-Service $name
    sc.exe delete $name | Out-Null
}
Remove-Item -Recurse -Force (Join-Path $env:ProgramFiles "TillSync\edge-agent") -ErrorAction SilentlyContinue
Write-Host "Removed. The sales stay in $(Join-Path $env:ProgramData 'TillSync\edge-agent')."
