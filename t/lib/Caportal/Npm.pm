package Caportal::Npm;

# Packages of the npm registry that a test uses, installed once under build/ exactly as a lock file says.

use v5.36;
use Caportal::Files qw(folder read_file write_file);
use Exporter qw(import);
use Fcntl qw(:flock);

our @EXPORT_OK = qw(npm_folder);

# Where the packages of $source (a folder with package.json and package-lock.json) are, under build/$name.
sub npm_folder ($root, $source, $name) {
    my $folder = folder("$root/build/$name");
    my $lock   = read_file("$root/$source/package-lock.json");
    my $there  = "$folder/node_modules/lock";

    # Two test files may want them at the same time.
    open my $turn, '>', "$folder/turn" or die "$folder/turn: $!\n";
    flock $turn, LOCK_EX or die "flock: $!\n";
    return $folder if -e $there && read_file($there) eq $lock;

    my $npm = qx(npm --version 2>/dev/null);
    die "npm is missing, which t/run installs\n" if $? || !$npm;

    write_file("$folder/$_", read_file("$root/$source/$_")) for qw(package.json package-lock.json);
    my $said = qx(cd '$folder' && npm ci --ignore-scripts --no-audit --no-fund 2>&1);
    die "npm cannot install $source: $said\n" if $?;
    write_file($there, $lock);
    return $folder;
}

1;
