use v5.36;
use utf8;
use warnings FATAL => 'all';

# The store as a bucket of a real S3-speaking server: what is uploaded lies there, sealed, and nowhere else.

use Caportal::Files qw(folder read_file write_file);
use Caportal::Npm qw(npm_folder);
use Caportal::Process;

use Caportal::Sample qw(new_bmp);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually);
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Find qw(find);
use IO::Socket::IP;
use Mojo::IOLoop::Server;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $s3rver = npm_folder($root, 't/npm', 'npm-tests') . '/node_modules/.bin/s3rver';
my $port   = Mojo::IOLoop::Server->generate_port;
my ($server, $home);

sub start_server () {
    folder($_) for "$home/s3", "$home/s3/caportal";
    $server //= Caportal::Process->new(name => 's3', run => "$home/run", log => "$home/log");
    $server->start(['node', $s3rver, '-d', "$home/s3", '-a', '127.0.0.1', '-p', $port, '--configure-bucket', 'caportal']);
    $server->wait_until(30, sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) });
    return;
}

my $portal = Caportal::Test->start(allow => qr{stored file [0-9a-f]+ (?:was changed|is too short|has the wrong size)|ended with internal}, edit => sub ($text) {
    return $text =~ s{^(\s*)caportal_store\s+(\S+)/materials;}{
        my ($indent, $data) = ($1, $2);
        my $conf = "$data/../conf/secrets/s3";
        write_file($conf, "S3RVER\n", 0600) if !-e $conf;
        "${indent}caportal_store s3 endpoint=http://127.0.0.1:$port bucket=caportal prefix=m/ key_id=S3RVER"
            . " secret_file=$conf spool=$data/materials;"
    }mer;
});
$home = $portal->home;
start_server();
END { local $?; $server->stop if $server }

sub files_below ($folder) {
    my @found;
    find({no_chdir => 1, wanted => sub { push @found, $_ if -f }}, $folder) if -d $folder;
    return @found;
}

sub objects () { return grep { m{/m/[0-9a-f]{32}\._S3rver_object\z} } files_below("$home/s3") }
sub spooled () { return files_below("$home/data/materials") }

my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $path    = '/api/orders/' . $journey->no . '/materials/licence';
my $scan    = new_bmp(320, 320);

use constant COPIES => 2;    # of a picture: what is shown of it, and its thumbnail

# The file itself.
sub evidence () { return $portal->staff('auditor')->get("/staff$path/original") }

# New bytes each time: the same ones are not stored again.
sub put () {
    substr($scan, -8) = sprintf '%08d', ++state $count;
    return $client->put($path, $scan, 'image/bmp');
}


subtest 'an upload' => sub {
    is put()->code, 201, 'is taken';
    is scalar(objects()), 1 + COPIES, 'lies in the bucket with its copies';
    is scalar(spooled()), 0, 'and no longer in the spool';
    is_deeply [grep { index($_, substr $scan, 1000, 64) >= 0 || /\A(?:\xff\xd8|BM)/ } map { read_file($_) } objects()],
        [], 'sealed';
    is evidence()->body, $scan, 'and is read back';
    like $client->get($path)->body, qr/\A\xff\xd8/, 'as is its copy';
};

subtest 'the server refuses' => sub {
    $server->stop;
    my $answer = put();
    is $answer->code, 503, 'nobody is told that it was stored';
    is $answer->json->{code}, 'store_unavailable', 'but why not';
    is $client->get($path)->code, 503, 'nor can it be read';
    is scalar(spooled()), 0, 'nothing is left in the spool';
    start_server();
    is put()->code, 201, 'and all is well once it is back';
};

subtest 'evidence that was changed' => sub {
    my $file   = $portal->value('SELECT file FROM material WHERE is_current = 1 AND kind = "licence"');
    my $newest = "$home/s3/caportal/m/${file}._S3rver_object";
    my $bytes  = read_file($newest);
    substr($bytes, 70_000, 1) ^.= "\x01";
    write_file($newest, $bytes);
    is evidence()->code, 500, 'is not given out';
    write_file($newest, substr $bytes, 0, 100_000);
    is evidence()->code, 500, 'nor what was cut';
    put();
};

subtest 'a sweep' => sub {
    my @options = ('--s3-endpoint', "http://127.0.0.1:$port", '--s3-bucket', 'caportal', '--s3-prefix', 'm/',
        '--s3-key-id', 'S3RVER', '--s3-secret-file', "$home/conf/secrets/s3");
    my $before = () = objects();
    is $portal->ctl('sweep-materials', @options), "0 files removed\n", 'nothing is old enough';
    my @cut = grep { 1 } objects();
    my ($orphan, $meta) = ($cut[0] =~ s{/m/\K[0-9a-f]{32}}{'a' x 32}er, undef);
    write_file($orphan, 'left over');
    write_file(($orphan =~ s{_object\z}{_$_}r), read_file($cut[0] =~ s{_object\z}{_$_}r)) for qw(metadata.json object.md5);
    utime 1, 1, $_ for objects();
    my $needed = (1 + COPIES) * $portal->value('SELECT COUNT(*) FROM material WHERE state <> "discarded"');
    is $portal->ctl('sweep-materials', @options), ($before + 1 - $needed) . " files removed\n", 'what no row needs goes';
    is scalar(objects()), $needed, 'what one needs stays';
    is evidence()->body, $scan, 'readable';
    is $client->get($path)->code, 200, 'as are its copies';
    like eval { $portal->ctl('sweep-materials', @options[0 .. 7]) } // $@, qr/needs --s3-bucket/, 'half a bucket';
};

# The server looks at the key's name alone; that signatures are right is proved by the vectors in t/unit/store_s3.c.
subtest 'an unknown key' => sub {
    my $conf = "$home/conf/nginx.conf";
    write_file($conf, read_file($conf) =~ s/key_id=S3RVER/key_id=NOBODY/r);
    $portal->stack->service('nginx')->reload;
    ok eventually(sub { put()->code == 503 }), 'is a store that is not available';
};

done_testing;
