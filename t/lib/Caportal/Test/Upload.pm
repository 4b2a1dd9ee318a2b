package Caportal::Test::Upload;

# What tests of uploads share: a small whole file of each format, a hall that takes them all, and what must hold of the
# store afterwards.

use v5.36;
use Caportal::Files qw(read_file);
use Caportal::Sample qw(new_bmp new_jpeg new_png);
use Caportal::Test::Edge qw(eventually temporaries workers);
use Exporter 'import';
use File::Find qw(find);
use Test::More;

our @EXPORT_OK = qw(any_format samples new_gif new_pdf licence_of stored_files only_stored usage descriptors resident whole_store);

# A configuration in which a licence may be of any format and up to 8 MB, and only it is asked for.
sub any_format ($text) {
    my $hall = read_file('conf/halls/nmgca.conf');
    $hall =~ s/(material licence \{.*?types\s+)[^;]+(;\s+max_size\s+)\w+/${1}jpeg png bmp gif pdf${2}8m/s;
    $hall =~ s/require( +)licence [^;]*;/require$1licence;/g;
    $hall =~ s/one_per_unit on;/one_per_unit off;/g;
    return $text =~ s{^ *include +halls/\*\.conf;\n}{$hall}mr;
}

# 4 by 4 pixels; LZW codes of three bits, for the table is cleared before it grows.
sub new_gif ($comment = int rand 1e9) {
    my @codes = map { (4, 0, 1) } 1 .. 8;
    my $bits  = join '', map { scalar reverse sprintf '%03b', $_ } @codes, 5;
    my $data  = pack 'b*', $bits;
    return 'GIF89a' . pack('v2C3', 4, 4, 0x80, 0, 0) . "\0\0\0\xff\xff\xff"
        . "\x21\xfe" . pack('C/a*', $comment) . "\0"
        . "\x2c" . pack('v4CC', 0, 0, 4, 4, 0, 2) . pack('C/a*', $data) . "\0;";
}

# One empty page.
sub new_pdf ($comment = int rand 1e9) {
    my $pdf = "%PDF-1.4\n%$comment\n";
    my @at;
    for my $object ('<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>',
        '<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>')
    {
        push @at, length $pdf;
        $pdf .= @at . " 0 obj\n$object\nendobj\n";
    }
    my $table = length $pdf;
    return $pdf . "xref\n0 4\n0000000000 65535 f \n" . join('', map { sprintf "%010d 00000 n \n", $_ } @at)
        . "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n$table\n%%EOF\n";
}

# [type, bytes] of each format; how many bytes at the end may be missing.
sub samples () {
    return (
        ['image/jpeg',      new_jpeg(16, 16), 0],
        ['image/png',       new_png(4, 4),    0],
        ['image/bmp',       new_bmp(4, 4),    0],
        ['image/gif',       new_gif(),        0],
        ['application/pdf', new_pdf(),        1],
    );
}

sub licence_of ($journey) { return '/api/orders/' . $journey->no . '/materials/licence' }

# All files of the store.
sub stored_files ($portal) {
    my @found;
    find({no_chdir => 1, wanted => sub { push @found, $_ if -f }}, $portal->home . '/data/materials');
    return sort @found;
}

# What was refused is removed when its request has ended, which its sender may learn a moment before.
sub only_stored ($portal, $files, $title) {
    return ok(eventually(sub { "@{[stored_files($portal)]}" eq "@$files" }), $title)
        || diag explain [stored_files($portal)], $files;
}

# Bytes that count against the accounts' quotas.
sub usage ($portal) {
    return $portal->value(q{SELECT COALESCE(SUM(bytes), 0) FROM material_usage WHERE scope = 'account'});
}

# Of all workers together: open descriptors; resident kilobytes of their own, without the shared memory that they touch,
# such as the cache of TLS sessions.
sub descriptors ($portal) {
    my $count = 0;
    for my $pid (workers($portal)) {
        my @open = glob "/proc/$pid/fd/*";
        $count += @open;
    }
    return $count;
}

sub resident ($portal) {
    my $sum = 0;
    for my $pid (workers($portal)) {
        $sum += $1 if read_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;
    }
    return $sum;
}

# Whatever was done: nothing is half there, and each acknowledged file opens with its key and has its digest.
sub whole_store ($portal) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok eventually(sub { !temporaries($portal) }), 'no temporary file is left' or diag temporaries($portal);
    like eval { $portal->ctl('check-materials') } // $@, qr/\A\d+ files, 0 damaged\n\z/, 'all that is named is whole';
    return;
}

1;
