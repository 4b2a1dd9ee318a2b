package Caportal::Files;

# Whole files and folders, with the mode and owner they are to have from their first byte.

use v5.36;
use Exporter 'import';
use Fcntl qw(O_CREAT O_EXCL O_WRONLY);
use File::Path qw(make_path);

our @EXPORT_OK = qw(folder read_file write_file secret_file random_text command capture);

# Makes a folder, with its parents; $owner is [uid, gid] or nothing.
sub folder ($path, $mode = 0755, $owner = undef) {
    make_path($path) if !-d $path;
    chmod $mode, $path or die "$path: $!\n";
    chown @$owner, $path or die "$path: $!\n" if $owner;
    return $path;
}

sub read_file ($path) {
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/ = undef;
    return scalar <$file>;
}

# Writes beside and renames: a reader finds the old file or the new one, whoever else writes it at the same time.
sub write_file ($path, $bytes, $mode = 0644, $owner = undef) {
    my $new = "$path.$$.new";
    unlink $new;
    sysopen my $file, $new, O_WRONLY | O_CREAT | O_EXCL, $mode or die "$new: $!\n";
    binmode $file;
    print {$file} $bytes or die "$new: $!\n";
    close $file or die "$new: $!\n";
    chmod $mode, $new or die "$new: $!\n";
    chown @$owner, $new or die "$new: $!\n" if $owner;
    rename $new, $path or die "$path: $!\n";
    return $path;
}

sub random_text ($bytes = 32) {
    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read($random, my $raw, $bytes) == $bytes or die "/dev/urandom: short read\n";
    return unpack 'H*', $raw;
}

# A secret made once: the file's content from then on.
sub secret_file ($path, $owner = undef) {
    write_file($path, random_text() . "\n", $owner ? 0640 : 0600, $owner) if !-s $path;
    my $secret = read_file($path);
    chomp $secret;
    return $secret;
}

# What a command prints on both outputs; dies with it when the command fails.
sub capture (@command) {
    my $pid = open my $output, '-|';
    defined $pid or die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or print "$command[0]: $!\n";
        require POSIX;
        POSIX::_exit(127);
    }
    local $/ = undef;
    my $text = <$output> // '';
    close $output or die "$command[0] failed:\n$text\n";
    return $text;
}

# The same for one that is expected to say nothing of interest.
sub command (@command) {
    capture(@command);
    return;
}

1;
